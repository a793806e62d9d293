"""HTTP listeners and what a process says of its health on them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from chassis.config import ConfigError
from chassis.health import Health, operations
from chassis.http import Application, BodyTooLarge, HttpServer, Receive, Scope, Send, answer, read_body
from prometheus_client import CollectorRegistry, Counter

from tests.factories.certificates import Authority


@asynccontextmanager
async def listening(application: Application) -> AsyncIterator[tuple[HttpServer, str]]:
    server = HttpServer(application, "127.0.0.1:0")
    running = asyncio.create_task(server.run())
    try:
        yield server, f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
        await running


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_probes_and_metrics() -> None:
    registry, wrong = CollectorRegistry(), list[str]()
    Counter("hallmark_test_things", "Things.", registry=registry).inc()
    health = Health({"store": lambda: wrong[0] if wrong else None})
    async with listening(operations(health, registry)) as (_, url):
        assert await get(f"{url}/livez") == (200, "alive\n")
        assert await get(f"{url}/readyz") == (200, "{}")
        assert "hallmark_test_things_total 1.0" in (await get(f"{url}/metrics"))[1]
        assert (await get(f"{url}/other"))[0] == 404
        wrong.append("The disk is full.")
        assert await get(f"{url}/readyz") == (503, '{"store":"The disk is full."}')
        wrong.clear()
        health.drain()
        assert (await get(f"{url}/readyz"))[0] == 503


async def test_a_taken_address_is_said_so() -> None:
    async with listening(operations(Health({}), CollectorRegistry())) as (server, _):
        with pytest.raises(ConfigError, match="taken"):
            HttpServer(operations(Health({}), CollectorRegistry()), f"127.0.0.1:{server.port}")


async def test_a_body_is_read_up_to_its_bound() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await answer(send, 200, await read_body(receive, 1000, 5), "text/plain")
        except BodyTooLarge:
            await answer(send, 413, b"", "text/plain")

    async with listening(echo) as (_, url), aiohttp.ClientSession() as session:
        async with session.post(url, data=b"x" * 1000) as response:
            assert (response.status, len(await response.read())) == (200, 1000)
        async with session.post(url, data=b"x" * 1001) as response:
            assert response.status == 413


class Records:
    """A TLS client that counts the records in which application data arrives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trusting: ssl.SSLContext) -> None:
        self._reader, self._writer = reader, writer
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trusting.wrap_bio(self._came, self._goes, server_hostname="127.0.0.1")
        self.raw = b""

    async def _send(self) -> None:
        self._writer.write(self._goes.read())
        await self._writer.drain()

    async def _receive(self) -> None:
        data = await self._reader.read(1 << 16)
        assert data, "the listener closed the connection"
        self.raw += data
        self._came.write(data)

    async def greet(self) -> None:
        """Shake hands."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send()
                await self._receive()
            else:
                return await self._send()

    async def get(self) -> tuple[bytes, int]:
        """Ask for /, and give the answer with the number of records that brought it."""
        self.raw = b""
        self._tls.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await self._send()
        answered = b""
        while not answered.endswith(b"the end"):
            try:
                answered += self._tls.read(1 << 16)
            except ssl.SSLWantReadError:
                await self._receive()
        return answered, self._count()

    def _count(self) -> int:
        count, at = 0, 0
        while at < len(self.raw):
            assert self.raw[at] == 23, "application data"
            at += 5 + int.from_bytes(self.raw[at + 3 : at + 5])
            count += 1
        return count


async def test_an_answer_arrives_in_one_piece(tmp_path: Path) -> None:
    async def end(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, b"the end", "text/plain")

    authority = Authority()
    tls = authority.write(authority.issue(addresses=("127.0.0.1",)), tmp_path)
    server = HttpServer(end, "127.0.0.1:0", certificate=tls.certificate, key=tls.key)
    running = asyncio.create_task(server.run())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    client = Records(reader, writer, ssl.create_default_context(cafile=str(tls.ca)))
    await client.greet()
    await client.get()  # the first brings session tickets along
    for _ in range(3):
        answered, records = await client.get()
        assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
        assert records == 1
    writer.close()
    server.stop()
    await running
