"""HTTP connections under attack: over raw sockets, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from chassis.connections import LARGEST_HEAD, LONGEST_TARGET, BoundedConnection
from chassis.health import Health, operations
from chassis.http import HttpServer
from prometheus_client import CollectorRegistry

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
ALIVE = b"HTTP/1.1 200 "
_PATIENCE = 20


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "head_seconds", 0.3)
    monkeypatch.setattr(BoundedConnection, "exchange_seconds", 0.3)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = HttpServer(operations(Health({}), CollectorRegistry()), "127.0.0.1:0")
    running = asyncio.create_task(server.run())
    yield server.port
    server.stop()
    await running


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_PATIENCE):
            yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What is said until the other side ends the connection."""
    said = b""
    try:
        while part := await reader.read(65536):
            said += part
    except ConnectionError:
        pass  # a reset is an end as well
    return said


async def send(writer: asyncio.StreamWriter, parts: Iterator[bytes]) -> None:
    """Send until there is no more, or nobody listens."""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
    except ConnectionError:
        pass  # a reset is an end as well


def endless_header() -> Iterator[bytes]:
    yield GET + b"X: "
    for _ in range(10_000):
        yield b"x" * 1000


def endless_headers() -> Iterator[bytes]:
    yield GET
    for number in range(100_000):
        yield b"X%d: y\r\n" % number


def one_chunk() -> Iterator[bytes]:
    yield GET + b"".join(b"X%d: y\r\n" % number for number in range(5000)) + b"\r\n"


def endless_target() -> Iterator[bytes]:
    yield b"GET /"
    for _ in range(10_000):
        yield b"x" * 1000


def endless_name() -> Iterator[bytes]:
    yield GET
    for _ in range(10_000):
        yield b"x" * 1000


def endless_trailers() -> Iterator[bytes]:
    yield b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    for number in range(100_000):
        yield b"X%d: y\r\n" % number


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        (endless_header, b"HTTP/1.1 431 "),
        (endless_headers, b"HTTP/1.1 431 "),
        (one_chunk, b"HTTP/1.1 431 "),
        (endless_name, b"HTTP/1.1 431 "),
        (endless_target, b"HTTP/1.1 414 "),
        (endless_trailers, b"HTTP/1.1 "),
    ],
)
async def test_a_head_without_end_is_refused(port: int, attack: Callable[[], Iterator[bytes]], answer: bytes) -> None:
    async with connected(port) as (reader, writer):
        sending = asyncio.create_task(send(writer, attack()))
        said = await ended(reader)
        await sending
    assert said.startswith(answer) or said == b""  # a peer that still sends may lose the answer to a reset
    async with connected(port) as (reader, writer):
        writer.write(GET + b"Connection: close\r\n\r\n")
        assert (await ended(reader)).startswith(ALIVE)


async def test_a_head_within_the_bounds_is_read(port: int) -> None:
    padding = b"X: " + b"x" * (LARGEST_HEAD // 2) + b"\r\n"
    target = b"/livez?" + b"x" * (LONGEST_TARGET // 2)
    async with connected(port) as (reader, writer):
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + padding + b"\r\n")
        assert (await ended(reader)).startswith(ALIVE)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GE",
        GET,
        GET + b"X: y",
        b"\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
        GET + b"\r\n" + b"GET /li",
    ],
)
async def test_who_sends_too_slowly_is_cut_off(port: int, begun: bytes) -> None:
    async with connected(port) as (reader, writer):
        ending = asyncio.create_task(ended(reader))
        writer.write(begun)
        while not ending.done():
            # One byte now and then, as slow attackers do, never ends the wait.
            await asyncio.wait([ending], timeout=0.05)
            if not writer.is_closing() and begun:
                writer.write(b"x")
        assert ending.exception() is None, "the server ended the connection, while bytes still came"


@pytest.mark.usefixtures("hasty")
async def test_a_connection_between_two_requests_may_rest(port: int) -> None:
    async with connected(port) as (reader, writer):
        for _ in range(2):
            writer.write(GET + b"\r\n")
            assert (await reader.readuntil(b"alive\n")).startswith(ALIVE)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1)


async def test_connections_beyond_the_bound_are_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "most_connections", 2)
    async with connected(port) as first, connected(port) as second:
        for reader, writer in (first, second):
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"alive\n")
        async with connected(port) as (reader, writer):
            writer.write(GET + b"\r\n")
            assert await ended(reader) == b""
        first[1].close()
        while True:  # the end of a connection is noticed a moment later
            async with connected(port) as (reader, writer):
                writer.write(GET + b"Connection: close\r\n\r\n")
                if (await ended(reader)).startswith(ALIVE):
                    break
