"""One HTTP/1.1 connection, within bounds of bytes and of time.

uvicorn bounds neither what a request's head may hold nor how slowly it may come.
"""

import asyncio
from typing import Any, Final

from chassis.gathering import GatheringConnection

MOST_CONNECTIONS: Final = 500
"""Beyond so many, requests are answered 503; connections beyond a tenth more are closed unheard."""
LONGEST_TARGET: Final = 8 << 10
"""Bytes of a request's path and query."""
LARGEST_HEAD: Final = 16 << 10
"""Bytes of a request's target, headers and trailers together."""
HEAD_SECONDS: Final = 10.0
"""Within them a request's head is here, counted from the connection or from its first byte."""
EXCHANGE_SECONDS: Final = 60.0
"""Within them, from the head on, the request has come and its answer has gone."""

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TARGET_TOO_LONG: Final = b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class HeadTooLarge(Exception):
    """A request's head is larger than accepted: it ends the parsing."""


class BoundedConnection(GatheringConnection):
    """A connection with bounds. The timings can be set on the class."""

    head_seconds = HEAD_SECONDS
    exchange_seconds = EXCHANGE_SECONDS
    most_connections = MOST_CONNECTIONS + MOST_CONNECTIONS // 10

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._head = 0
        self._in_head = True
        self._receiving = False
        self._refused: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Begin to wait for a request; close what is one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self.transport.abort()
            return
        self._within(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._at_leisure()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._timer is None:
            self._within(self.head_seconds)
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            # Of a header that has not ended the parser tells nothing: what came is counted as it comes.
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refuse(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or one whose head is too large."""
        if self._refused:
            self._refuse(self._refused)
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head, self._in_head, self._receiving = 0, True, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        super().on_url(url)
        if len(self.url) > LONGEST_TARGET:
            self._refused = _TARGET_TOO_LONG
            raise HeadTooLarge

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._head += len(name) + len(value) + 4
        if self._head + len(self.url) > LARGEST_HEAD:
            self._refused = _TOO_LARGE
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request be answered, within its time."""
        self._in_head = False
        self._within(self.exchange_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here in full."""
        self._receiving = False
        super().on_message_complete()
        self._settle()

    def on_response_complete(self) -> None:
        """The answer is gone in full."""
        super().on_response_complete()
        self._settle()

    def _settle(self) -> None:
        if not self._receiving and self.cycle.response_complete:
            self._at_leisure()

    def _within(self, seconds: float) -> None:
        self._at_leisure()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _at_leisure(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()
