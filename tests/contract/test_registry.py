"""The client against a registry, ours in memory and Debian's docker-registry alike."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from registry.client import RegistryClient
from registry.digests import sha256_of
from registry.errors import BlobNotFound, ManifestNotFound, PushRefused
from registry.manifests import OCI_INDEX, OCI_MANIFEST, ImageManifest, Index, parse_manifest
from registry.settings import RegistrySettings

from tests.fakes.registry import FakeRegistry

ABSENT = sha256_of(b"pushed by nobody")


@pytest.fixture(params=["fake", "docker-registry"])
async def host(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "docker-registry":
        yield request.getfixturevalue("real_registry")
        return
    async with FakeRegistry(referrers=False) as fake:
        yield fake.host


@pytest.fixture
async def client(host: str) -> AsyncIterator[RegistryClient]:
    opened = RegistryClient([RegistrySettings(host=host, plain_http=True)])
    yield opened
    await opened.close()


@pytest.fixture
async def http(host: str) -> AsyncIterator[aiohttp.ClientSession]:
    """For what Hallmark never asks of a registry, but others do."""
    async with aiohttp.ClientSession(f"http://{host}") as session:
        yield session


def descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": sha256_of(content), "size": len(content)}


async def push_image(client: RegistryClient, host: str, repository: str, tag: str, **more: object) -> bytes:
    config, layer = b"{}", b"layer of " + tag.encode()
    for blob in (config, layer):
        await client.push_blob(host, repository, blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    body = json.dumps(manifest | more).encode()
    await client.put_manifest(host, repository, tag, OCI_MANIFEST, body)
    return body


async def test_an_image_comes_back_as_it_was_pushed(host: str, client: RegistryClient) -> None:
    body = await push_image(client, host, "team/app", "v1")
    assert await client.resolve_tag(host, "team/app", "v1") == sha256_of(body)
    fetched = await client.get_manifest(host, "team/app", sha256_of(body))
    assert (fetched.media_type, fetched.body) == (OCI_MANIFEST, body)
    manifest = parse_manifest(fetched.media_type, fetched.body)
    assert isinstance(manifest, ImageManifest)
    layer = manifest.layers[0]
    assert await client.read_blob(host, "team/app", layer.digest, layer.size) == b"layer of v1"


async def test_a_tag_moves(host: str, client: RegistryClient) -> None:
    await push_image(client, host, "moving", "v1")
    moved = await push_image(client, host, "moving", "v1", annotations={"build": "2"})
    assert await client.resolve_tag(host, "moving", "v1") == sha256_of(moved)


async def test_a_large_blob_comes_in_pieces(host: str, client: RegistryClient) -> None:
    data = bytes(range(256)) * 8192
    digest = await client.push_blob(host, "large", data)
    pieces = [piece async for piece in client.stream_blob(host, "large", digest, len(data))]
    assert b"".join(pieces) == data
    assert len(pieces) > 1


async def test_every_tag_is_listed(host: str, client: RegistryClient) -> None:
    for tag in ("v1", "v2", "v3"):
        await push_image(client, host, "tagged", tag)
    assert sorted(await client.list_tags(host, "tagged")) == ["v1", "v2", "v3"]


async def test_every_repository_is_listed(host: str, client: RegistryClient) -> None:
    for repository in ("catalog/one", "catalog/two"):
        await push_image(client, host, repository, "v1")
    assert {"catalog/one", "catalog/two"} <= set(await client.list_repositories(host))


async def test_what_is_not_there_is_absent(host: str, client: RegistryClient) -> None:
    await push_image(client, host, "sparse", "v1")
    for reference in ("v2", ABSENT):
        with pytest.raises(ManifestNotFound):
            await client.get_manifest(host, "sparse", reference)
    with pytest.raises(BlobNotFound):
        await client.read_blob(host, "sparse", ABSENT, 100)
    with pytest.raises(ManifestNotFound):
        await client.list_tags(host, "nowhere")


async def test_referrers_are_found_by_the_fallback_tag(host: str, client: RegistryClient) -> None:
    subject = await push_image(client, host, "signed", "v1")
    assert await client.list_referrers(host, "signed", sha256_of(subject)) == ()
    referrer = await push_image(client, host, "signed", "mark", subject=descriptor(OCI_MANIFEST, subject))
    index = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(OCI_MANIFEST, referrer)]}
    ).encode()
    fallback = sha256_of(subject).replace(":", "-")
    assert await client.put_manifest(host, "signed", fallback, OCI_INDEX, index) is False
    found = await client.list_referrers(host, "signed", sha256_of(subject))
    assert [one.digest for one in found] == [sha256_of(referrer)]


async def code_of(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """The status of a refusal, and the code of its first error."""
    return answer.status, (await answer.json(content_type=None))["errors"][0]["code"]


async def test_an_index_comes_back_as_it_was_pushed(host: str, client: RegistryClient) -> None:
    children = [await push_image(client, host, "multi", tag) for tag in ("amd64", "arm64")]
    platforms = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})
    entries = [
        descriptor(OCI_MANIFEST, child) | {"platform": platform}
        for child, platform in zip(children, platforms, strict=True)
    ]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    assert await client.put_manifest(host, "multi", "v1", OCI_INDEX, body) is False
    fetched = await client.get_manifest(host, "multi", "v1")
    assert (fetched.digest, fetched.media_type, fetched.body) == (sha256_of(body), OCI_INDEX, body)
    index = parse_manifest(fetched.media_type, fetched.body)
    assert isinstance(index, Index)
    for entry, child in zip(index.manifests, children, strict=True):
        assert (await client.get_manifest(host, "multi", entry.digest)).body == child


async def test_an_index_of_what_is_not_there_is_not_taken(host: str, client: RegistryClient) -> None:
    body = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(OCI_MANIFEST, b"nobody's")]}
    ).encode()
    with pytest.raises(PushRefused, match="MANIFEST_BLOB_UNKNOWN"):
        await client.put_manifest(host, "dangling", "v1", OCI_INDEX, body)


async def test_a_manifest_of_what_is_not_there_is_not_taken(host: str, client: RegistryClient) -> None:
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", b"nobody's config"),
            "layers": [],
        }
    ).encode()
    with pytest.raises(PushRefused, match="MANIFEST_BLOB_UNKNOWN"):
        await client.put_manifest(host, "dangling", "v1", OCI_MANIFEST, body)


async def test_what_is_no_manifest_is_not_taken(host: str, client: RegistryClient) -> None:
    with pytest.raises(PushRefused, match="MANIFEST_INVALID"):
        await client.put_manifest(host, "garbage", "v1", OCI_MANIFEST, b"no JSON")


async def test_bytes_of_another_digest_are_not_taken(
    host: str, client: RegistryClient, http: aiohttp.ClientSession
) -> None:
    body = await push_image(client, host, "altered", "v1")
    with pytest.raises(PushRefused, match="DIGEST_INVALID"):
        await client.put_manifest(host, "altered", ABSENT, OCI_MANIFEST, body)
    async with http.post("/v2/altered/blobs/uploads/") as begun:
        assert begun.status == 202
    finish = f"{begun.headers['Location']}{'&' if '?' in begun.headers['Location'] else '?'}digest={ABSENT}"
    async with http.put(finish, data=b"something else") as refused:
        assert await code_of(refused) == (400, "DIGEST_INVALID")
    with pytest.raises(BlobNotFound):
        await client.read_blob(host, "altered", ABSENT, 100)


async def test_a_blob_is_taken_over_from_another_repository(
    host: str, client: RegistryClient, http: aiohttp.ClientSession
) -> None:
    digest = await client.push_blob(host, "mount/from", b"shared layer")
    async with http.post("/v2/mount/to/blobs/uploads/", params={"mount": digest, "from": "mount/from"}) as answer:
        assert answer.status == 201
    assert await client.read_blob(host, "mount/to", digest, 100) == b"shared layer"
    async with http.post("/v2/mount/to/blobs/uploads/", params={"mount": ABSENT, "from": "mount/from"}) as answer:
        assert answer.status == 202
    with pytest.raises(BlobNotFound):
        await client.read_blob(host, "mount/to", ABSENT, 100)


async def test_an_image_is_deleted_with_its_tags(
    host: str, client: RegistryClient, http: aiohttp.ClientSession
) -> None:
    body = await push_image(client, host, "deleted", "v1")
    kept = await push_image(client, host, "deleted", "v2")
    async with http.delete(f"/v2/deleted/manifests/{sha256_of(body)}") as answer:
        assert answer.status == 202
    for reference in ("v1", sha256_of(body)):
        with pytest.raises(ManifestNotFound):
            await client.get_manifest(host, "deleted", reference)
    assert await client.list_tags(host, "deleted") == ["v2"]
    assert await client.resolve_tag(host, "deleted", "v2") == sha256_of(kept)
    async with http.delete(f"/v2/deleted/manifests/{sha256_of(body)}") as answer:
        assert await code_of(answer) == (404, "MANIFEST_UNKNOWN")


async def test_lists_are_read_page_by_page(host: str, client: RegistryClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.client.PAGE", 2)
    names = [f"paged/{number}" for number in range(5)]
    for name in names:
        await push_image(client, host, name, "v1")
    assert set(names) <= set(await client.list_repositories(host))
    tags = [f"v{number}" for number in range(5)]
    for tag in tags:
        await push_image(client, host, "paged/tags", tag)
    assert sorted(await client.list_tags(host, "paged/tags")) == tags
