"""A channel whose certificates may be replaced while it is used: calls that begin then go over a new connection."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import grpc
import grpc.aio

from chassis.certificates import Renewed

_RETIRED_SECONDS: Final = 15 * 60  # within it, servers end every connection


class RenewedChannel(grpc.aio.Channel):
    """Passes each call to the channel that the certificates of now made."""

    def __init__(self, channels: Renewed[grpc.aio.Channel]) -> None:
        self._channels = channels
        self._used = channels.current()
        self._retiring: set[asyncio.Task[None]] = set()

    def _now(self) -> grpc.aio.Channel:
        channel = self._channels.current()
        if channel is not self._used:
            retiring = asyncio.create_task(_retire(self._used))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
            self._used = channel
        return channel

    async def close(self, grace: float | None = None) -> None:
        """Close it, and those whose certificates were replaced."""
        for retiring in list(self._retiring):
            retiring.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await self._used.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # grpc's form
        """The state of the connection."""
        return self._now().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state is another one."""
        await self._now().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until it is connected."""
        await self._now().channel_ready()

    def unary_unary(self, *given: Any, **named: Any) -> Any:
        """A method with one request and one answer."""
        return self._method(lambda channel: channel.unary_unary(*given, **named))

    def unary_stream(self, *given: Any, **named: Any) -> Any:
        """A method with one request and a stream of answers."""
        return self._method(lambda channel: channel.unary_stream(*given, **named))

    def stream_unary(self, *given: Any, **named: Any) -> Any:
        """A method with a stream of requests and one answer."""
        return self._method(lambda channel: channel.stream_unary(*given, **named))

    def stream_stream(self, *given: Any, **named: Any) -> Any:
        """A method with streams both ways."""
        return self._method(lambda channel: channel.stream_stream(*given, **named))

    def _method(self, of: Callable[[grpc.aio.Channel], Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            return of(self._now())(*given, **named)

        return called

    async def __aenter__(self) -> "RenewedChannel":
        """Use it in a block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()


async def _retire(channel: grpc.aio.Channel) -> None:
    """Close a channel once every call over it has ended by itself."""
    try:
        await asyncio.sleep(_RETIRED_SECONDS)
    finally:
        await channel.close()
