"""HTTP listeners and what a process says of its health on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from chassis.config import ConfigError
from chassis.health import Health, operations
from chassis.http import Application, BodyTooLarge, HttpServer, Receive, Scope, Send, answer, read_body
from prometheus_client import CollectorRegistry, Counter


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
