"""Signatures read from a registry over HTTP: both forms, what is broken, what is hostile, and what cannot be told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from chassis.workers import Workers
from registry.client import RegistryClient
from registry.references import Reference
from registry.settings import RegistrySettings
from verifier.clients.registry import Registries
from verifier.evidence.claims import Format, Signature
from verifier.evidence.findings import Stored, Unreadable
from verifier.evidence.reading import PAYLOAD_BYTES, TOTAL_BYTES, SignatureReader
from verifier.reasons import Code, Rejection

from tests.factories import marks
from tests.factories import stored_signatures as store
from tests.fakes.registry import FakeRegistry, hang, status
from tests.fakes.signatures import NoMetrics

KEY = marks.new_key()
SIG_TAG = f"sha256-{marks.DIGEST[7:]}.sig"


class Reading:
    """A reader of one repository in a registry of the test's own."""

    def __init__(self, registry: FakeRegistry, seconds: float = 5.0) -> None:
        self.registry = registry
        self.repository = "pay/web"
        self.image = Reference(registry.host, self.repository, None, marks.DIGEST)
        settings = RegistrySettings(host=registry.host, plain_http=True, retries=0)
        self.client = RegistryClient([settings])
        self.source = Registries(self.client, NoMetrics())
        self.reader = SignatureReader(self.source, Workers(1), seconds)

    async def signatures(self) -> tuple[Stored, ...]:
        return await self.reader.signatures(self.image, marks.DIGEST)

    def payload(self, note: str = "") -> bytes:
        return marks.payload(identity=self.image.name, optional={"note": note})

    def fail(self, path: str, fault: Any) -> None:
        self.registry.faults["GET", f"/v2/{self.repository}/{path}"] = fault


@pytest.fixture(params=[True, False], ids=["referrers API", "fallback tag"])
async def reading(request: pytest.FixtureRequest) -> AsyncIterator[Reading]:
    async with FakeRegistry(referrers=request.param) as registry:
        made = Reading(registry)
        yield made
        await made.client.close()


def codes(found: tuple[Stored, ...]) -> list[Code]:
    return [stored.reason.code for stored in found if isinstance(stored, Unreadable)]


async def test_nothing_stored_is_no_signature(reading: Reading) -> None:
    assert await reading.signatures() == ()


async def test_each_layer_of_the_sig_manifest_is_a_signature(reading: Reading) -> None:
    payloads = [reading.payload("one"), reading.payload("two")]
    digest = store.store_simple(reading.registry, reading.repository, marks.DIGEST, KEY, *payloads)
    found = await reading.signatures()
    assert [stored.signed for stored in found if isinstance(stored, Signature)] == payloads
    assert [(stored.place.format, stored.place.manifest, stored.place.layer) for stored in found] == [
        (Format.SIMPLE_SIGNING, digest, 0),
        (Format.SIMPLE_SIGNING, digest, 1),
    ]


async def test_bundles_are_found_by_referrers_and_what_refers_otherwise_is_let_be() -> None:
    async with FakeRegistry() as registry:
        reading = Reading(registry)
        bundle = marks.bundle(KEY, marks.statement(identity=reading.image.name))
        digest = store.store_bundle(registry, reading.repository, marks.DIGEST, bundle)
        store.store_bundle(registry, reading.repository, marks.DIGEST, b"an SBOM", artifactType="application/spdx+json")
        store.store_bundle(registry, reading.repository, "sha256:" + "cd" * 32, bundle)
        about = {"dev.sigstore.bundle.predicateType": "https://example.com/scan"}
        store.store_bundle(registry, reading.repository, marks.DIGEST, b"a statement", annotations=about)
        (found,) = await reading.signatures()
        assert isinstance(found, Signature)
        assert (found.place.format, found.place.manifest) == (Format.BUNDLE, digest)
        assert found.claims.identity == reading.image.name
        await reading.client.close()


async def test_layers_of_other_types_are_no_signatures(reading: Reading) -> None:
    layer = store.simple_layer(reading.registry, reading.repository, reading.payload(), "YQ==")
    body = store.manifest([layer | {"mediaType": "application/octet-stream"}])
    reading.registry.put_manifest(reading.repository, store.OCI_MANIFEST, body, SIG_TAG)
    assert await reading.signatures() == ()


BROKEN_MANIFESTS = {
    "a name stands twice": (store.OCI_MANIFEST, b'{"schemaVersion":2,"schemaVersion":2}', Code.INVALID_SIGNATURE),
    "an index": (
        "application/vnd.oci.image.index.v1+json",
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
        Code.INVALID_SIGNATURE,
    ),
    "of another type": ("application/json", b"{}", Code.INVALID_SIGNATURE),
}


@pytest.mark.parametrize(("kind", "body", "code"), BROKEN_MANIFESTS.values(), ids=BROKEN_MANIFESTS.keys())
async def test_a_broken_manifest_is_a_broken_signature(reading: Reading, kind: str, body: bytes, code: Code) -> None:
    reading.registry.put_manifest(reading.repository, kind, body, SIG_TAG)
    assert codes(await reading.signatures()) == [code]


async def test_broken_layers_are_broken_signatures_and_hide_no_other(reading: Reading) -> None:
    registry, repository, good = reading.registry, reading.repository, reading.payload()
    layers = [
        store.simple_layer(registry, repository, b"not JSON", "YQ=="),
        store.simple_layer(registry, repository, reading.payload("unsigned"), None),
        {"mediaType": store.SIMPLE, "size": 1, "digest": "sha256:" + "0" * 64},
        store.simple_layer(registry, repository, marks.payload(kind="x"), "YQ=="),
        store.simple_layer(registry, repository, good, marks.b64(marks.sign(KEY, good))),
    ]
    registry.put_manifest(repository, store.OCI_MANIFEST, store.manifest(layers), SIG_TAG)
    found = await reading.signatures()
    assert codes(found) == [Code.INVALID_SIGNATURE] * 3 + [Code.WRONG_TYPE]
    assert isinstance(found[4], Signature)


async def test_bytes_that_are_not_those_of_their_digest(reading: Reading) -> None:
    registry, repository = reading.registry, reading.repository
    store.store_simple(registry, repository, marks.DIGEST, KEY, reading.payload())
    ((key, payload),) = registry.blobs.items()
    registry.blobs[key] = payload[:-1]
    assert codes(await reading.signatures()) == [Code.DIGEST_MISMATCH]


@pytest.mark.parametrize("count", [51, 1000])
async def test_so_many_signatures_are_too_many(reading: Reading, count: int) -> None:
    layer = store.simple_layer(reading.registry, reading.repository, reading.payload(), "YQ==")
    body = store.manifest([layer] * count)
    reading.registry.put_manifest(reading.repository, store.OCI_MANIFEST, body, SIG_TAG)
    with pytest.raises(Rejection) as refused:
        await reading.signatures()
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED


async def test_a_payload_above_the_bound_is_not_read(reading: Reading) -> None:
    layer = store.simple_layer(reading.registry, reading.repository, bytes(PAYLOAD_BYTES + 1), "YQ==")
    reading.registry.put_manifest(reading.repository, store.OCI_MANIFEST, store.manifest([layer]), SIG_TAG)
    with pytest.raises(Rejection) as refused:
        await reading.signatures()
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED


async def test_a_payload_larger_than_its_manifest_says_is_a_broken_signature_and_hides_no_other(
    reading: Reading,
) -> None:
    registry, repository, good = reading.registry, reading.repository, reading.payload()
    layers = [
        store.simple_layer(registry, repository, bytes(1 << 20), "YQ==") | {"size": 1},
        store.simple_layer(registry, repository, good, marks.b64(marks.sign(KEY, good))),
    ]
    registry.put_manifest(repository, store.OCI_MANIFEST, store.manifest(layers), SIG_TAG)
    broken, signature = await reading.signatures()
    assert codes((broken,)) == [Code.INVALID_SIGNATURE]
    assert isinstance(signature, Signature)


async def test_payloads_too_large_together_are_not_all_read(reading: Reading) -> None:
    layers = [
        store.simple_layer(reading.registry, reading.repository, bytes([number]) * PAYLOAD_BYTES, "YQ==")
        for number in range(50)
    ]
    reading.registry.put_manifest(reading.repository, store.OCI_MANIFEST, store.manifest(layers), SIG_TAG)
    with pytest.raises(Rejection) as refused:
        await reading.signatures()
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED
    assert sum("/blobs/" in request.path for request in reading.registry.requests) <= TOTAL_BYTES // PAYLOAD_BYTES


@pytest.mark.parametrize("path", [f"manifests/{SIG_TAG}", f"referrers/{marks.DIGEST}"])
@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
async def test_a_registry_that_fails_is_no_absence(reading: Reading, path: str, code: int) -> None:
    reading.fail(path, status(code))
    with pytest.raises(Rejection) as refused:
        await reading.signatures()
    assert refused.value.reason.code is Code.REGISTRY_UNAVAILABLE


async def test_a_registry_that_hangs_is_no_absence() -> None:
    async with FakeRegistry() as registry:
        reading = Reading(registry, seconds=0.05)
        reading.fail(f"manifests/{SIG_TAG}", hang)
        with pytest.raises(Rejection) as refused:
            await reading.signatures()
        assert refused.value.reason.code is Code.REGISTRY_UNAVAILABLE
        await reading.client.close()


async def test_an_endless_manifest_is_cut_off(reading: Reading) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 18))

    reading.fail(f"manifests/{SIG_TAG}", endless)
    with pytest.raises(Rejection) as refused:
        await reading.signatures()
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED


async def test_a_host_that_is_not_configured_is_not_asked(reading: Reading) -> None:
    elsewhere = Reference("elsewhere.example.com", "pay/web", None, marks.DIGEST)
    with pytest.raises(Rejection) as refused:
        await reading.reader.signatures(elsewhere, marks.DIGEST)
    assert refused.value.reason.code is Code.REGISTRY_NOT_ALLOWED
    assert reading.registry.requests == []


BROKEN_REFERRERS: dict[str, dict[str, Any]] = {
    "two layers": {"layers": [{"mediaType": store.BUNDLE, "size": 1, "digest": "sha256:" + "0" * 64}] * 2},
    "a layer of another type": {"layers": [{"mediaType": "text/plain", "size": 1, "digest": "sha256:" + "0" * 64}]},
    "a payload that is not there": {"layers": [{"mediaType": store.BUNDLE, "size": 1, "digest": "sha256:" + "0" * 64}]},
}


@pytest.mark.parametrize("members", BROKEN_REFERRERS.values(), ids=BROKEN_REFERRERS.keys())
async def test_a_broken_referrer_is_a_broken_signature(members: dict[str, Any]) -> None:
    async with FakeRegistry() as registry:
        reading = Reading(registry)
        store.store_bundle(registry, reading.repository, marks.DIGEST, b"{}", **members)
        assert codes(await reading.signatures()) == [Code.INVALID_SIGNATURE]
        await reading.client.close()


@pytest.mark.parametrize("body", [b"{", store.manifest([])], ids=["not JSON", "no index"])
async def test_a_list_of_referrers_that_cannot_be_read_is_no_absence(body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": store.OCI_MANIFEST})

    async with FakeRegistry() as registry:
        reading = Reading(registry)
        reading.fail(f"referrers/{marks.DIGEST}", answer)
        with pytest.raises(Rejection) as refused:
            await reading.signatures()
        assert refused.value.reason.code is Code.REGISTRY_UNAVAILABLE
        await reading.client.close()


async def test_a_tag_is_resolved_to_the_digest_of_the_bytes(reading: Reading) -> None:
    body = store.manifest([])
    digest = reading.registry.put_manifest(reading.repository, store.OCI_MANIFEST, body, "1.2")
    tagged = Reference(reading.registry.host, reading.repository, "1.2")
    assert await reading.source.resolve(tagged) == digest
    with pytest.raises(Rejection) as refused:
        await reading.source.resolve(Reference(reading.registry.host, reading.repository))
    assert refused.value.reason.code is Code.INVALID_REFERENCE


async def test_a_registry_that_names_another_digest_than_that_of_the_bytes(reading: Reading) -> None:
    async def liar(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": store.OCI_MANIFEST, "Docker-Content-Digest": marks.DIGEST}
        return web.Response(body=store.manifest([]), headers=headers)

    reading.fail("manifests/1.2", liar)
    with pytest.raises(Rejection) as refused:
        await reading.source.resolve(Reference(reading.registry.host, reading.repository, "1.2"))
    assert refused.value.reason.code is Code.DIGEST_MISMATCH
