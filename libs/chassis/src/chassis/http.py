"""HTTP listeners: raw ASGI applications on uvicorn, in the event loop of the service, within bounds."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import uvicorn

from chassis.certificates import Renewed, read_authorities, read_pair
from chassis.config import ConfigError
from chassis.connections import MOST_CONNECTIONS, BoundedConnection

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_IDLE_SECONDS: Final = 75
_DRAIN_SECONDS: Final = 10


class BodyTooLarge(Exception):
    """A request's body is larger than accepted."""


class _Server(uvicorn.Server):
    """A server that leaves signals to the process's lifecycle."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


class HttpServer:
    """One listener. `address` is host:port (port 0: any free one); with `certificate` and `key` it speaks HTTPS."""

    def __init__(
        self,
        application: Application,
        address: str,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        client_ca: Path | None = None,
    ) -> None:
        encrypted = encryption(certificate, key, client_ca) if certificate and key else None
        self._socket = _bind(address)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            http=BoundedConnection,
            loop="none",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        config.load()
        config.ssl = encrypted
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve until stopped."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Take no new request, let those in flight finish, then end."""
        self._server.should_exit = True


def encryption(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """What an HTTPS listener shows and demands, read anew when the files change. Raises ConfigError."""
    files = (certificate, key, client_ca) if client_ca else (certificate, key)
    contexts = Renewed(files, lambda: _context(certificate, key, client_ca))

    def renewed(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext) -> None:
        connection.context = contexts.current()

    first = contexts.current()
    first.sni_callback = renewed  # called at each handshake, with or without a name
    return first


def _context(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    read_pair(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
        if client_ca:
            context.load_verify_locations(cadata=read_authorities(client_ca).decode())
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"The certificate {certificate} or the authority {client_ca} cannot be used: {error}"
        ) from None
    return context


def _bind(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host.strip("[]"), int(port)))
        listener.listen()
    except (OSError, ValueError, OverflowError) as error:
        listener.close()
        raise ConfigError(
            f"The address {address} cannot be listened on: it is taken by another process, or none of this machine"
            f" ({error})."
        ) from None
    return listener


async def read_body(receive: Receive, most: int, seconds: float) -> bytes:
    """Read a request's body of at most `most` bytes within `seconds`. Raises BodyTooLarge, TimeoutError."""
    parts, size, more = [], 0, True
    async with asyncio.timeout(seconds):
        while more:
            message = await receive()
            more = message.get("more_body", False)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise BodyTooLarge
    return b"".join(parts)


async def answer(send: Send, status: int, body: bytes, content_type: str) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
