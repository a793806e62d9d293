"""A signer killed at each step of a signing: what it had begun is finished by the same request, and signed once."""

import hashlib
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.client import RemoteRefusal, call
from hallmark.signer.v1 import key_pb2, key_service_pb2, signature_pb2, signing_service_pb2

from tests.factories.certificates import Authority
from tests.factories.images import Image, debian, file, image, index, layer
from tests.factories.signer_process import SignerHome
from tests.factories.workshop import REPOSITORY
from tests.fakes.registry import FakeRegistry
from tests.fakes.risk_scanner import risk_scanner

GOOD = debian()
MULTI = index(GOOD, image(layer(file("arm")), platform="linux/arm64"))
STEPS = {
    "at the gate": "signer.gatekeeping:failures",
    "before it is recorded": "signer.signing:_demand_unchanged",
    "recorded, not signed": "signer.signing:enclose",
    "with a payload in the registry": "signer.envelopes.simple:tag",
    "before a signature is added": "signer.envelopes.simple:with_layer",
    "with a signature in the registry": "signer.envelopes.bundle:referrer",
    "with a bundle that nothing lists": "signer.envelopes.bundle:fallback_tag",
    "with everything in the registry": "signer.store.signings:update",
}
RECORDED = list(STEPS)[2:]


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry(referrers=False) as running:
        for media_type, body in MULTI.manifests().values():
            running.put_manifest(REPOSITORY, media_type, body)
        yield running


@pytest.fixture
async def home(registry: FakeRegistry, tmp_path: Path) -> AsyncIterator[SignerHome]:
    authority = Authority()
    async with risk_scanner(authority, tmp_path / "scanner") as scanner:
        scanner.scanned(MULTI.manifests())
        made = SignerHome(tmp_path, authority, scanner.address, registry.host)
        code, said = await made.run("migrate")
        assert code == 0, said
        yield made


def tagged(registry: FakeRegistry, tag: str) -> dict[str, list[dict[str, str]]]:
    _, body = registry.manifests[REPOSITORY, registry.tags[REPOSITORY, tag]]
    held: dict[str, list[dict[str, str]]] = json.loads(body)
    return held


def signed(registry: FakeRegistry, one: Image) -> list[bytes]:
    """The payloads in the registry, of which there is one in each form."""
    tag = one.digest.replace(":", "-")
    (layer_,) = tagged(registry, f"{tag}.sig")["layers"]
    (referrer,) = tagged(registry, tag)["manifests"]
    manifest = json.loads(registry.manifests[REPOSITORY, referrer["digest"]][1])
    bundle = registry.blobs[REPOSITORY, manifest["layers"][0]["digest"]]
    assert json.loads(bundle)["verificationMaterial"]
    return [registry.blobs[REPOSITORY, layer_["digest"]]]


@pytest.mark.parametrize("step", STEPS)
async def test_a_signing_that_was_killed(home: SignerHome, registry: FakeRegistry, step: str) -> None:
    key = key_service_pb2.CreateKeyRequest(name="release", purpose=key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE)
    request = signing_service_pb2.SignImageRequest(
        image=f"{registry.host}/{REPOSITORY}@{MULTI.digest}", key="release", request_id="s1"
    )
    everything = signing_service_pb2.ListSignaturesRequest()
    async with home.start(dies_in=STEPS[step]) as signer:
        await call((await signer.keys("custodian")).CreateKey, key, timeout=30)
        with pytest.raises(RemoteRefusal):
            await call((await signer.signing("reviewer")).SignImage, request, timeout=30)
        assert await signer.process.wait() == -signal.SIGKILL
    async with home.start() as signer:
        reviewer = await signer.signing("reviewer")
        left = (await call(reviewer.ListSignatures, everything, timeout=30)).signings
        assert [one.state for one in left] == ([signature_pb2.SIGNING_STATE_PENDING] if step in RECORDED else [])
        done = (await call(reviewer.SignImage, request, timeout=30)).signing
        assert done.state == signature_pb2.SIGNING_STATE_DONE
        assert [one.signing_id for one in left] in ([], [done.signing_id])
        assert list((await call(reviewer.ListSignatures, everything, timeout=30)).signings) == [done]
    recorded = {payload.payload_sha256 for one in done.signed_digests for payload in one.payloads}
    held = [payload for one in (MULTI, *MULTI.children) for payload in signed(registry, one)]
    assert {hashlib.sha256(payload).digest() for payload in held} <= recorded
    assert len(held) == 3
