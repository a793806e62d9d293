"""Each call ends in time, whatever the registry does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from registry.client import RegistryClient
from registry.digests import Digest
from registry.errors import BodyTooLarge, RegistryUnavailable
from registry.settings import RegistrySettings

from tests.fakes.registry import FakeRegistry, digest_of, hang, status
from tests.unit.registry.conftest import Connect

DIGEST = Digest(digest_of(b""))
Call = Callable[[RegistryClient, str], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "manifest": lambda client, host: client.get_manifest(host, "a", "v1"),
    "blob": lambda client, host: client.read_blob(host, "a", DIGEST, 100),
    "referrers": lambda client, host: client.list_referrers(host, "a", DIGEST),
    "push of a blob": lambda client, host: client.push_blob(host, "a", b"x"),
    "push of a manifest": lambda client, host: client.put_manifest(host, "a", "v1", "text/plain", b"x"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_registry_that_hangs_is_left_at_the_deadline(fake: FakeRegistry, connect: Connect, call: Call) -> None:
    fake.always = hang
    client = connect(fake, timeout=60, deadline=0.2)
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable, match=r"0\.2 s, its deadline"):
            await call(client, fake.host)


async def trickle(request: web.Request) -> web.StreamResponse:
    """A byte now and then, sooner than anybody gives a silent registry up."""
    response = web.StreamResponse(headers={"Content-Length": "1000000", "Content-Type": "text/plain"})
    await response.prepare(request)
    while request.transport is not None:
        await response.write(b"x")
        await asyncio.sleep(0.02)
    return response


@pytest.mark.parametrize("call", [CALLS["manifest"], CALLS["blob"], CALLS["referrers"]])
async def test_a_body_that_trickles_is_left_at_the_deadline(fake: FakeRegistry, connect: Connect, call: Call) -> None:
    fake.always = trickle
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable):
            await call(connect(fake, timeout=60, deadline=0.3), fake.host)


async def test_tokens_count_to_the_deadline(fake: FakeRegistry, connect: Connect) -> None:
    fake.faults["GET", "/v2/a/manifests/v1"] = status(401, WWW_Authenticate=f'Bearer realm="http://{fake.host}/token"')
    fake.faults["GET", "/token"] = hang
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable, match="deadline"):
            await connect(fake, timeout=60, deadline=0.2).get_manifest(fake.host, "a", "v1")


async def test_waits_between_attempts_count_to_the_deadline(fake: FakeRegistry, connect: Connect) -> None:
    fake.always = status(503, Retry_After="5")
    async with asyncio.timeout(4):
        with pytest.raises(RegistryUnavailable, match="deadline"):
            await connect(fake, deadline=0.2, retries=10).get_manifest(fake.host, "a", "v1")


@pytest.mark.parametrize(("told", "given"), [("86400", 3600.0), ("11", 11.0), ("9" * 400, 3600.0)])
async def test_a_long_wait_is_told_and_not_waited_for(
    fake: FakeRegistry, connect: Connect, told: str, given: float
) -> None:
    fake.always = status(429, Retry_After=told)
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable, match="429") as refusal:
            await connect(fake, retries=3).get_manifest(fake.host, "a", "v1")
    assert refusal.value.retry_after == given
    assert len(fake.requests) == 1


@pytest.mark.parametrize("told", ["", "soon", "-1", "\u00b2", "1e9", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_a_wait_that_is_no_number_is_none(fake: FakeRegistry, connect: Connect, told: str) -> None:
    fake.always = status(429, Retry_After=told)
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable) as refusal:
            await connect(fake, retries=1).get_manifest(fake.host, "a", "v1")
    assert (refusal.value.retry_after, len(fake.requests)) == (None, 2)


async def test_pages_count_to_the_deadline(fake: FakeRegistry, connect: Connect) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("page", "0"))
        await asyncio.sleep(0.01)
        link = f'<{request.path}?page={number + 1}>; rel="next"'
        return web.json_response({"tags": []}, headers={"Link": link})

    fake.faults["GET", "/v2/a/tags/list"] = page
    async with asyncio.timeout(10):
        with pytest.raises(RegistryUnavailable, match="deadline"):
            await connect(fake, deadline=0.1).list_tags(fake.host, "a")


async def test_a_blob_takes_as_long_as_it_is_read(fake: FakeRegistry, connect: Connect) -> None:
    """A slow reader is no slow registry: the deadline is for its first byte, the rest may be waited for."""
    data = bytes(3 << 20)
    digest = Digest(fake.put_blob("a", data))
    size = 0
    async for piece in connect(fake, deadline=1).stream_blob(fake.host, "a", digest, len(data)):
        size += len(piece)
        await asyncio.sleep(0.15)
    assert size == len(data)


async def test_a_registry_that_hangs_keeps_nobody_from_another(fake: FakeRegistry) -> None:
    fake.always = hang
    async with FakeRegistry() as other:
        digest = Digest(other.put_blob("a", b"x"))
        hosts = (fake.host, other.host)
        client = RegistryClient([RegistrySettings(host=host, plain_http=True, retries=0) for host in hosts])
        waiting = [asyncio.ensure_future(client.get_manifest(fake.host, "a", "v1")) for _ in range(150)]
        async with asyncio.timeout(10):
            assert await client.read_blob(other.host, "a", digest, 10) == b"x"
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await client.close()


async def test_pages_together_are_bounded_in_bytes(fake: FakeRegistry, client: RegistryClient) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("page", "0"))
        link = f'<{request.path}?page={number + 1}>; rel="next"'
        body = b'{"tags": [' + b" " * (1 << 20) + b"]}"
        return web.Response(body=body, headers={"Link": link})

    fake.faults["GET", "/v2/a/tags/list"] = page
    with pytest.raises(BodyTooLarge):
        await client.list_tags(fake.host, "a")
    assert len(fake.requests) < 10
