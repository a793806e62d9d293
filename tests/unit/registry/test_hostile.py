"""Registries that mean harm: a typed refusal each time, in words that can be shown, and in bounded memory."""

import gzip
import hashlib
import json

import pytest
from aiohttp import web
from chassis.errors import Refusal
from registry.client import RegistryClient
from registry.digests import Digest, sha256_of
from registry.errors import BodyTooLarge, DigestMismatch, RegistryAnswerInvalid, RegistryUnavailable
from registry.manifests import OCI_INDEX, OCI_MANIFEST, InvalidManifest
from registry.settings import RegistrySettings

from tests.fakes.raw_server import answering
from tests.fakes.registry import FakeRegistry
from tests.unit.registry.conftest import Connect

LAYER = b"layer of an image"
DIGEST = sha256_of(LAYER)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * (1 << 20) + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * (1 << 17) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + b"x" * (1 << 20) + b"\r\n{}",
        OK + b"Docker-Content-Digest: sha256:\xff\xfe\r\n\r\n{}",
        OK + b"Docker-Content-Digest: sha512:" + hashlib.sha512(b"{}").hexdigest().encode() + b"\r\n\r\n{}",
        b"HTTP/1.1 307 X\r\nLocation: http://\xff\xfe/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 X\r\nLocation: http://elsewhere.example\xff/\xfe\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer realm="http://\xff/"\r\nContent-Length: 0\r\n\r\n',
        b'HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer realm="http://127.0.0.1/",service="\xff"\r\n\r\n',
        b"HTTP/1.1 999 \xff\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
    ids=range(16),
)
async def test_an_answer_that_is_none(answer: bytes) -> None:
    async with answering(answer) as host:
        client = RegistryClient([RegistrySettings(host=host, plain_http=True, timeout=2, retries=0)])
        with pytest.raises(Refusal) as refusal:
            await client.get_manifest(host, "a", "v1")
        assert len(refusal.value.message.encode()) < 1000
        await client.close()


async def test_a_type_of_a_manifest_that_is_no_text_can_be_refused() -> None:
    async with answering(OK + b"Content-Type: \xff\xfe/x\r\n\r\n{}") as host:
        client = RegistryClient([RegistrySettings(host=host, plain_http=True, timeout=2, retries=0)])
        fetched = await client.get_manifest(host, "a", "v1")
        assert fetched.body == b"{}"
        assert fetched.media_type.isascii()
        await client.close()


async def test_nothing_is_unpacked_on_its_way(fake: FakeRegistry, client: RegistryClient) -> None:
    bomb = gzip.compress(bytes(50 << 20))

    async def packed(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    for path in (f"blobs/{DIGEST}", f"blobs/{sha256_of(bomb)}", "manifests/v1", "tags/list"):
        fake.faults["GET", f"/v2/a/{path}"] = packed
    with pytest.raises(DigestMismatch):
        await client.read_blob(fake.host, "a", DIGEST, len(bomb))
    assert await client.read_blob(fake.host, "a", sha256_of(bomb), len(bomb)) == bomb
    assert (await client.get_manifest(fake.host, "a", "v1")).body == bomb
    with pytest.raises(RegistryAnswerInvalid):
        await client.list_tags(fake.host, "a")
    assert {request.headers["Accept-Encoding"] for request in fake.requests} == {"identity"}


async def test_a_cookie_is_not_kept(fake: FakeRegistry, client: RegistryClient) -> None:
    async def baking(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"{}", headers={"Set-Cookie": "who=you; Path=/"})

    fake.always = baking
    for _ in range(2):
        await client.get_manifest(fake.host, "a", "v1")
    assert "Cookie" not in fake.requests[-1].headers


async def test_part_of_a_blob_is_no_blob(fake: FakeRegistry, client: RegistryClient) -> None:
    async def part(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=206, body=LAYER)

    fake.faults["GET", f"/v2/a/blobs/{DIGEST}"] = part
    with pytest.raises(RegistryUnavailable, match="206"):
        await client.read_blob(fake.host, "a", DIGEST, 100)


async def test_a_manifest_of_5_mib_is_not_read(fake: FakeRegistry, client: RegistryClient) -> None:
    body = json.dumps({"schemaVersion": 2, "annotations": {"a": "x" * (5 << 20)}}).encode()
    digest = Digest(fake.put_manifest("a", OCI_MANIFEST, body, "v1"))
    for reference in ("v1", digest):
        with pytest.raises(BodyTooLarge):
            await client.get_manifest(fake.host, "a", reference)


@pytest.mark.parametrize("value", ["[]", "{}", "0", '""', '{"a":0}'])
async def test_a_list_that_would_take_far_more_memory_than_bytes_is_not_read(
    fake: FakeRegistry, client: RegistryClient, value: str
) -> None:
    body = '{"schemaVersion": 2, "manifests": [], "x": [' + ",".join([value] * 500_000) + "]}"

    async def many(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body[: 4 << 20].encode())

    fake.faults["GET", f"/v2/a/referrers/{DIGEST}"] = many
    with pytest.raises(InvalidManifest, match="values"):
        await client.list_referrers(fake.host, "a", DIGEST)


@pytest.mark.parametrize(
    "link",
    [
        '<{path}?page=2>; rel="next"',
        "<{path}?page=2>;rel=next",
        '<?page=2>; rel="next"',
        '<http://elsewhere.example{path}?page=2>; rel="next"',
        '<{path}?page=0>; rel="prev", <{path}?page=2>; rel="next"',
    ],
)
async def test_a_following_page_is_found_however_it_is_named(
    fake: FakeRegistry, client: RegistryClient, link: str
) -> None:
    async def pages(request: web.Request) -> web.StreamResponse:
        if "page" in request.query:
            return web.json_response({"tags": [f"v{request.query['page']}"]})
        return web.json_response({"tags": ["v1"]}, headers={"Link": link.replace("{path}", request.path)})

    fake.faults["GET", "/v2/a/tags/list"] = pages
    assert await client.list_tags(fake.host, "a") == ["v1", "v2"]


@pytest.mark.parametrize("link", ['<http://[>; rel="next"', '<http://h:x/>; rel="next"'])
async def test_a_following_page_that_is_no_url_is_no_end(fake: FakeRegistry, client: RegistryClient, link: str) -> None:
    async def page(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"tags": ["v1"]}, headers={"Link": link})

    fake.faults["GET", "/v2/a/tags/list"] = page
    with pytest.raises(RegistryAnswerInvalid):
        await client.list_tags(fake.host, "a")


async def test_a_missing_page_of_referrers_is_not_the_end(fake: FakeRegistry, client: RegistryClient) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        if "page" in request.query:
            return web.Response(status=404)
        headers = {"Link": f'<{request.path}?page=2>; rel="next"'}
        return web.json_response({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, headers=headers)

    fake.faults["GET", f"/v2/a/referrers/{DIGEST}"] = page
    with pytest.raises(RegistryAnswerInvalid, match="missing"):
        await client.list_referrers(fake.host, "a", DIGEST)


async def test_referrers_in_a_circle_are_no_list(fake: FakeRegistry, client: RegistryClient) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        other = "b" if request.query.get("page") == "a" else "a"
        headers = {"Link": f'<{request.path}?page={other}>; rel="next"'}
        return web.json_response({"schemaVersion": 2, "manifests": []}, headers=headers)

    fake.faults["GET", f"/v2/a/referrers/{DIGEST}"] = page
    with pytest.raises(RegistryAnswerInvalid, match="circle"):
        await client.list_referrers(fake.host, "a", DIGEST)


async def test_names_that_no_reference_has_are_left_out(fake: FakeRegistry, client: RegistryClient) -> None:
    async def names(_request: web.Request) -> web.StreamResponse:
        odd = ["..", "../x", "a b", "A:B", "x?y", "x#y", "\u00e9", "", "x\r\ny", "a:pull,push repository:b"]
        return web.json_response({"tags": ["V1.0", *odd], "repositories": None})

    async def repositories(_request: web.Request) -> web.StreamResponse:
        odd = ["..", "a/../b", "/a", "a//b", "a%2fb", "A", "a:pull repository:b", "http://x"]
        return web.json_response({"repositories": ["team/app", *odd]})

    fake.faults["GET", "/v2/a/tags/list"] = names
    fake.faults["GET", "/v2/_catalog"] = repositories
    assert await client.list_tags(fake.host, "a") == ["V1.0"]
    assert await client.list_repositories(fake.host) == ["team/app"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tags": 1}', b'{"tags": [1]}', b"\xff", b"[" * 100_000], ids=range(6))
async def test_what_is_no_list_of_names_is_said_so(fake: FakeRegistry, client: RegistryClient, body: bytes) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    fake.faults["GET", "/v2/a/tags/list"] = answer
    with pytest.raises(RegistryAnswerInvalid):
        await client.list_tags(fake.host, "a")


async def test_a_registry_that_answers_in_turns_is_held_to_what_it_sent(fake: FakeRegistry, connect: Connect) -> None:
    """What is returned with a digest has that digest, whatever a second look would have given."""
    bodies = iter([b'{"schemaVersion": 2}', b'{"schemaVersion": 2, "annotations": {}}'])

    async def turns(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=next(bodies), content_type=OCI_MANIFEST)

    fake.faults["GET", "/v2/a/manifests/v1"] = turns
    client = connect(fake)
    for _ in range(2):
        fetched = await client.get_manifest(fake.host, "a", "v1")
        assert fetched.digest == sha256_of(fetched.body)
