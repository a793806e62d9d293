"""Redirects: three at most, to configured hosts, and our credentials go nowhere else."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chassis.errors import Refusal
from registry.digests import Digest
from registry.errors import RedirectRefused, RegistryAnswerInvalid
from registry.manifests import OCI_MANIFEST

from tests.fakes.registry import FakeRegistry, digest_of, status
from tests.unit.registry.conftest import Connect

LAYER = b"layer"
DIGEST = Digest(digest_of(LAYER))
BLOB = f"/v2/a/blobs/{DIGEST}"


def known(folder: Path) -> dict[str, Any]:
    (folder / "password").write_text("hunter2\n")
    return {"username": "u", "password_file": folder / "password"}


def guarded(location: str, code: int = 307) -> Any:
    """Demands a password, then redirects."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if "Authorization" not in request.headers:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        return web.Response(status=code, headers={"Location": location})

    return answer


def hops(fake: FakeRegistry, most: int) -> Any:
    """Redirects so often to itself before it gives the layer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        hop = int(request.query.get("hop", "0"))
        if hop == most:
            return web.Response(body=LAYER)
        return web.Response(status=302, headers={"Location": f"?hop={hop + 1}"})

    return answer


async def test_credentials_stay_with_their_host(fake: FakeRegistry, connect: Connect, tmp_path: Path) -> None:
    async with FakeRegistry() as other:
        other.put_blob("a", LAYER)
        fake.faults["GET", BLOB] = guarded(f"http://{other.host}{BLOB}")
        with pytest.raises(RedirectRefused, match=f"http://{other.host}"):
            await connect(fake, **known(tmp_path)).read_blob(fake.host, "a", DIGEST, 10)
        assert other.requests == []
        allowed = connect(fake, **known(tmp_path), redirect_hosts=(other.host,))
        assert await allowed.read_blob(fake.host, "a", DIGEST, 10) == LAYER
        assert [request.headers.get("Authorization") for request in other.requests] == [None]


async def test_credentials_do_not_come_back_with_a_redirect(
    fake: FakeRegistry, connect: Connect, tmp_path: Path
) -> None:
    async with FakeRegistry() as other:
        fake.put_blob("a", LAYER)
        other.faults["GET", "/back"] = status(307, Location=f"http://{fake.host}/v2/a/blobs/{DIGEST}?again")
        fake.faults["GET", "/v2/a/blobs/" + DIGEST] = once = guarded(f"http://{other.host}/back")

        async def first(request: web.Request) -> web.StreamResponse:
            return web.Response(body=LAYER) if request.query_string else await once(request)

        fake.faults["GET", BLOB] = first
        client = connect(fake, **known(tmp_path), redirect_hosts=(other.host,))
        assert await client.read_blob(fake.host, "a", DIGEST, 10) == LAYER
        assert "Authorization" not in fake.requests[-1].headers


async def test_a_host_that_is_redirected_to_is_not_told_our_password(
    fake: FakeRegistry, connect: Connect, tmp_path: Path
) -> None:
    async with FakeRegistry() as other:
        other.always = status(401, WWW_Authenticate='Basic realm="x"')
        fake.faults["GET", BLOB] = status(307, Location=f"http://{other.host}{BLOB}")
        with pytest.raises(Refusal):
            await connect(fake, **known(tmp_path), redirect_hosts=(other.host,)).read_blob(fake.host, "a", DIGEST, 10)
        assert {request.headers.get("Authorization") for request in other.requests} == {None}


@pytest.mark.parametrize(("most", "reached"), [(0, True), (3, True), (4, False), (1000, False)])
async def test_three_redirects_are_followed(fake: FakeRegistry, connect: Connect, most: int, reached: bool) -> None:
    fake.faults["GET", BLOB] = hops(fake, most)
    client = connect(fake)
    if reached:
        assert await client.read_blob(fake.host, "a", DIGEST, 10) == LAYER
    else:
        with pytest.raises(RedirectRefused, match="more than 3"):
            await client.read_blob(fake.host, "a", DIGEST, 10)
        assert len(fake.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.example/x",
        "//elsewhere.example/x",
        "http://{host}@elsewhere.example/x",
        "http://u:p@{host}/x",
        "http://:p@{host}/x",
        "http://{host}.elsewhere.example/x",
        "http://{host}9/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "gopher://{host}/x",
        "http://[",
        "http://{host}:x/",
        "javascript:alert(1)",
    ],
)
async def test_a_redirect_elsewhere_is_refused(fake: FakeRegistry, connect: Connect, location: str) -> None:
    fake.faults["GET", BLOB] = status(307, Location=location.replace("{host}", fake.host))
    with pytest.raises((RedirectRefused, RegistryAnswerInvalid)) as refusal:
        await connect(fake).read_blob(fake.host, "a", DIGEST, 10)
    assert "u:p" not in refusal.value.message
    assert len(fake.requests) == 1


async def test_what_is_stored_is_not_redirected(fake: FakeRegistry, connect: Connect) -> None:
    async with FakeRegistry() as other:
        fake.faults["PUT", "/v2/a/manifests/v1"] = status(307, Location=f"http://{other.host}/v2/a/manifests/v1")
        client = connect(fake, redirect_hosts=(other.host,))
        with pytest.raises(RedirectRefused):
            await client.put_manifest(fake.host, "a", "v1", OCI_MANIFEST, b"{}")
        assert other.requests == []


async def test_a_page_or_upload_on_another_host_gets_no_request(
    fake: FakeRegistry, connect: Connect, tmp_path: Path
) -> None:
    async with FakeRegistry() as other:
        for elsewhere in (f"http://{fake.host}//{other.host}/v2/a", f"http://{other.host}/v2/a", f"//{other.host}/v2"):
            link = f'<{elsewhere}>; rel="next"'

            async def lead(request: web.Request, to: str = elsewhere, page: str = link) -> web.StreamResponse:
                if request.path == "/v2/a/tags/list":
                    return web.json_response({"tags": ["v1"]}, headers={"Link": page})
                return web.Response(status=202 if request.method == "POST" else 404, headers={"Location": to})

            fake.always = lead
            client = connect(fake, **known(tmp_path))
            with pytest.raises(Refusal):
                await client.list_tags(fake.host, "a")
            with pytest.raises(Refusal):
                await client.push_blob(fake.host, "a", b"layer")
        assert other.requests == []
