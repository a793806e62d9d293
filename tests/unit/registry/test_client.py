"""The client against registries that are right, busy, broken and hostile."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from aiohttp import web
from registry.client import RegistryClient
from registry.digests import Digest
from registry.errors import (
    BlobNotFound,
    BodyTooLarge,
    DigestMismatch,
    HostNotConfigured,
    ManifestNotFound,
    RegistryAnswerInvalid,
    RegistryUnauthorized,
    RegistryUnavailable,
)
from registry.manifests import OCI_INDEX, OCI_MANIFEST

from tests.fakes.registry import FakeRegistry, digest_of, hang, status
from tests.unit.registry.conftest import Connect

MANIFEST = json.dumps({"schemaVersion": 2, "layers": []}).encode()


async def test_what_is_pushed_comes_back(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = await client.push_blob(fake.host, "a/b", b"layer")
    assert await client.read_blob(fake.host, "a/b", digest, 10) == b"layer"
    await client.put_manifest(fake.host, "a/b", "v1", OCI_MANIFEST, MANIFEST)
    fetched = await client.get_manifest(fake.host, "a/b", "v1")
    assert (fetched.digest, fetched.media_type, fetched.body) == (digest_of(MANIFEST), OCI_MANIFEST, MANIFEST)
    assert await client.resolve_tag(fake.host, "a/b", "v1") == digest_of(MANIFEST)


async def test_tags_are_read_page_by_page(fake: FakeRegistry, client: RegistryClient) -> None:
    for number in range(5):
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, f"v{number}")
    assert await client.list_tags(fake.host, "a") == ["v0", "v1", "v2", "v3", "v4"]


@pytest.mark.parametrize(("last", "complete"), [(2, True), (1000, False)])
async def test_every_page_of_referrers_is_read(
    fake: FakeRegistry, client: RegistryClient, last: int, complete: bool
) -> None:
    async def pages(request: web.Request) -> web.StreamResponse:
        page = int(request.query.get("page", "0"))
        headers = {"Link": f'<{request.path}?page={page + 1}>; rel="next"'} if page < last else {}
        entry = {"mediaType": OCI_MANIFEST, "size": 2, "digest": f"sha256:{page:064x}"}
        return web.json_response({"schemaVersion": 2, "manifests": [entry]}, headers=headers)

    digest = Digest("sha256:" + "0" * 64)
    fake.faults["GET", f"/v2/a/referrers/{digest}"] = pages
    if complete:
        found = await client.list_referrers(fake.host, "a", digest)
        assert [one.digest for one in found] == [f"sha256:{page:064x}" for page in range(3)]
    else:
        with pytest.raises(BodyTooLarge):
            await client.list_referrers(fake.host, "a", digest)


async def test_an_image_at_the_fallback_tag_lists_nothing(connect: Connect) -> None:
    async with FakeRegistry(referrers=False) as fake:
        client = connect(fake)
        descriptor = {"mediaType": "text/plain", "size": 0, "digest": digest_of(b"")}
        body = json.dumps({"schemaVersion": 2, "config": descriptor, "layers": []}).encode()
        digest = fake.put_manifest("a", OCI_MANIFEST, body)
        fake.tags["a", digest.replace(":", "-")] = digest
        assert await client.list_referrers(fake.host, "a", Digest(digest)) == ()


@pytest.mark.parametrize("api", [True, False], ids=["referrers API", "fallback tag"])
async def test_referrers_are_found(api: bool, connect: Connect) -> None:
    async with FakeRegistry(referrers=api) as fake:
        client = connect(fake)
        subject = digest_of(MANIFEST)
        referrer = json.dumps({"schemaVersion": 2, "subject": {"digest": subject}}).encode()
        assert await client.put_manifest(fake.host, "a", digest_of(referrer), OCI_MANIFEST, referrer) is api
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(referrer), "size": len(referrer)}
        index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
        if not api:
            fake.put_manifest("a", OCI_INDEX, index, subject.replace(":", "-"))
        found = await client.list_referrers(fake.host, "a", Digest(subject))
        assert [one.digest for one in found] == [digest_of(referrer)]
        assert await client.list_referrers(fake.host, "a", Digest("sha256:" + "0" * 64)) == ()


async def test_pages_in_a_circle_are_no_list(fake: FakeRegistry, client: RegistryClient) -> None:
    async def circle(request: web.Request) -> web.StreamResponse:
        other = "b" if request.query.get("last") == "a" else "a"
        link = f'</v2/a/tags/list?last={other}>; rel="next"'
        return web.json_response({"tags": ["v1"]}, headers={"Link": link})

    fake.faults["GET", "/v2/a/tags/list"] = circle
    with pytest.raises(RegistryAnswerInvalid, match="circle"):
        await client.list_tags(fake.host, "a")


async def test_absent_is_said_so(fake: FakeRegistry, client: RegistryClient) -> None:
    with pytest.raises(ManifestNotFound):
        await client.get_manifest(fake.host, "a", "nope")
    with pytest.raises(BlobNotFound):
        await client.read_blob(fake.host, "a", Digest("sha256:" + "0" * 64), 10)
    with pytest.raises(ManifestNotFound):
        await client.list_tags(fake.host, "nowhere")


@pytest.mark.parametrize("code", [400, 429, 500, 503])
async def test_trouble_is_not_absence(fake: FakeRegistry, client: RegistryClient, code: int) -> None:
    for path in ("/v2/a/manifests/v1", f"/v2/a/referrers/{digest_of(b'')}"):
        fake.faults["GET", path] = status(code)
    with pytest.raises(RegistryUnavailable):
        await client.get_manifest(fake.host, "a", "v1")
    with pytest.raises(RegistryUnavailable):
        await client.list_referrers(fake.host, "a", Digest(digest_of(b"")))


async def test_that_nobody_listens_is_said_in_the_words_of_the_system(fake: FakeRegistry, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(RegistryUnavailable, match=f"{host} does not answer: Connection refused"):
        await connect(fake, host=host).get_manifest(host, "a", "v1")


async def test_a_registry_that_hangs_is_given_up(fake: FakeRegistry, connect: Connect) -> None:
    fake.faults["GET", "/v2/a/manifests/v1"] = hang
    with pytest.raises(RegistryUnavailable):
        await connect(fake, timeout=0.2).get_manifest(fake.host, "a", "v1")


async def test_a_busy_registry_is_asked_again(fake: FakeRegistry, connect: Connect) -> None:
    answers = iter([429, 503])

    async def busy(request: web.Request) -> web.StreamResponse:
        code = next(answers, None)
        if code is None:
            del fake.faults["GET", request.path]
            return web.Response(body=MANIFEST, content_type=OCI_MANIFEST)
        return web.Response(status=code, headers={"Retry-After": "0"})

    fake.faults["GET", "/v2/a/manifests/v1"] = busy
    client = connect(fake, retries=3)
    assert (await client.get_manifest(fake.host, "a", "v1")).body == MANIFEST


async def test_other_bytes_than_asked_for_are_refused(fake: FakeRegistry, client: RegistryClient) -> None:
    async def other(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"other", headers={"Docker-Content-Digest": digest_of(MANIFEST)})

    due = Digest(digest_of(MANIFEST))
    for path in (f"/v2/a/manifests/{due}", "/v2/a/manifests/v1", f"/v2/a/blobs/{due}"):
        fake.faults["GET", path] = other
    for reference in (due, "v1"):
        with pytest.raises(DigestMismatch):
            await client.get_manifest(fake.host, "a", reference)
    with pytest.raises(DigestMismatch):
        await client.read_blob(fake.host, "a", due, 100)


async def test_a_body_without_end_is_cut(fake: FakeRegistry, client: RegistryClient) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(1 << 16))
        except ConnectionError:
            return response

    digest = Digest(digest_of(b""))
    fake.faults["GET", f"/v2/a/blobs/{digest}"] = fake.faults["GET", "/v2/a/manifests/v1"] = endless
    with pytest.raises(BodyTooLarge):
        await client.read_blob(fake.host, "a", digest, 1 << 20)
    with pytest.raises(BodyTooLarge):
        await client.get_manifest(fake.host, "a", "v1")


@pytest.mark.parametrize("pause", [0.01, None], ids=["trickling", "cut off"])
async def test_a_body_that_does_not_arrive_is_given_up(
    fake: FakeRegistry, pause: float | None, connect: Connect
) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x")
        while pause is not None and request.transport is not None:
            await response.write(b"x")
            await asyncio.sleep(pause)
        if request.transport is not None:
            request.transport.close()
        return response

    digest = Digest(digest_of(b""))
    fake.faults["GET", f"/v2/a/blobs/{digest}"] = fake.faults["GET", "/v2/a/manifests/v1"] = slow
    client = connect(fake, timeout=0.1)
    with pytest.raises(RegistryUnavailable):
        await client.read_blob(fake.host, "a", digest, 1 << 20)
    with pytest.raises(RegistryUnavailable):
        await client.get_manifest(fake.host, "a", "v1")


async def test_a_host_that_is_not_configured_is_not_contacted(fake: FakeRegistry) -> None:
    client = RegistryClient([])
    with pytest.raises(HostNotConfigured):
        await client.get_manifest(fake.host, "a", "v1")
    assert fake.requests == []


async def test_rejected_credentials_are_said_so(fake: FakeRegistry, tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "password").write_text("wrong")
    fake.faults["GET", "/v2/a/manifests/v1"] = status(401, WWW_Authenticate='Basic realm="x"')
    client = connect(fake, username="u", password_file=tmp_path / "password")
    with pytest.raises(RegistryUnauthorized) as refusal:
        await client.get_manifest(fake.host, "a", "v1")
    assert "wrong" not in refusal.value.message
