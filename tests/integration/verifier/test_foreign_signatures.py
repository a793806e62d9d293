"""Signatures that cosign and skopeo make, in a real registry: the same ones count for us as for them."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from registry.references import parse_reference
from verifier.reasons import Code, Outcome
from verifier.rules.policy import IdentityKind
from verifier.verdicts import Verdict

from tests.factories import marks
from tests.factories import verifier_policies as policies
from tests.factories.images import debian
from tests.integration.verifier.foreign import Foreign, ToolFailed

SIGN = "https://sigstore.dev/cosign/sign/v1"


@pytest.fixture
async def foreign(real_registry: str, tmp_path: Path) -> AsyncIterator[Foreign]:
    made = Foreign(real_registry, tmp_path)
    await made.new_key("release")
    yield made
    await made.client.close()


@pytest.fixture
async def image(foreign: Foreign, request: pytest.FixtureRequest) -> str:
    """An image in a repository of the test's own."""
    return await foreign.push(f"pay/{abs(hash(request.node.name)):x}", debian(), "1.2")


def codes(verdict: Verdict) -> list[Code]:
    return [reason.code for reason in verdict.reasons]


async def test_an_image_that_cosign_signed(foreign: Foreign, image: str) -> None:
    assert codes(await foreign.judge(image, "release")) == [Code.NO_SIGNATURE]
    await foreign.sign("release", image, "-a", "team=pay")
    assert (await foreign.judge(image, "release")).outcome is Outcome.ALLOW
    tagged = image.partition("@")[0] + ":1.2"
    assert codes(await foreign.judge(tagged, "release")) == [Code.TAG_NOT_PINNED]


async def test_an_image_that_cosign_signed_with_another_key(foreign: Foreign, image: str) -> None:
    await foreign.new_key("other")
    await foreign.sign("other", image)
    assert codes(await foreign.judge(image, "release")) == [Code.UNTRUSTED_KEY]
    await foreign.sign("release", image)
    assert (await foreign.judge(image, "release")).outcome is Outcome.ALLOW


async def test_cosign_states_no_time_and_skopeo_does(foreign: Foreign, image: str) -> None:
    young = policies.require(signatures=policies.signatures(max_age=timedelta(hours=1)))
    await foreign.sign("release", image)
    assert codes(await foreign.judge(image, "release", young)) == [Code.SIGNATURE_TOO_OLD]
    target = f"{image.partition('@')[0]}-signed"
    await foreign.copy_signed("release", image, f"{target}:1.2")
    assert (await foreign.judge(f"{target}@{debian().digest}", "release", young)).outcome is Outcome.ALLOW


async def test_an_image_that_cosign_signed_under_another_name(foreign: Foreign, image: str) -> None:
    await foreign.sign("release", image, "--sign-container-identity", "reg.example.com/elsewhere")
    assert codes(await foreign.judge(image, "release")) == [Code.IDENTITY_MISMATCH]
    anywhere = policies.require(signatures=policies.signatures(), identity=IdentityKind.ANY)
    assert (await foreign.judge(image, "release", anywhere)).outcome is Outcome.ALLOW


async def test_an_image_copied_to_another_repository_with_its_signatures(foreign: Foreign, image: str) -> None:
    await foreign.sign("release", image)
    copy = f"{image.partition('@')[0]}-copy"
    await foreign.cosign("copy", image, f"{copy}:1.2")
    copied = f"{copy}@{image.partition('@')[2]}"
    assert codes(await foreign.judge(copied, "release")) == [Code.IDENTITY_MISMATCH]


async def test_an_image_that_skopeo_signed(foreign: Foreign, image: str) -> None:
    target = f"{image.partition('@')[0]}-signed"
    await foreign.copy_signed("release", image, f"{target}:1.2")
    signed = f"{target}@{image.partition('@')[2]}"
    assert (await foreign.judge(signed, "release")).outcome is Outcome.ALLOW
    exact = policies.require(signatures=policies.signatures(), identity=IdentityKind.EXACT)
    assert (await foreign.judge(f"{target}:1.2@{debian().digest}", "release", exact)).outcome is Outcome.ALLOW
    assert codes(await foreign.judge(f"{target}:2@{debian().digest}", "release", exact)) == [Code.IDENTITY_MISMATCH]


@pytest.mark.parametrize("broken", ["payload", "signature", "key"])
async def test_skopeo_and_we_refuse_the_same(foreign: Foreign, image: str, broken: str, tmp_path: Path) -> None:
    await foreign.sign("release", image)
    await foreign.copy_verified("release", image, tmp_path / "good")
    assert (await foreign.judge(image, "release")).outcome is Outcome.ALLOW
    if broken == "key":
        await foreign.new_key("other")
        await foreign.sign("other", image)
    await spoil(foreign, image, broken)
    with pytest.raises(ToolFailed):
        await foreign.copy_verified("release", image, tmp_path / "bad")
    assert (await foreign.judge(image, "release")).outcome is Outcome.DENY


async def spoil(foreign: Foreign, image: str, broken: str) -> None:
    """Puts a `.sig` manifest in place that is wrong in one respect."""
    reference = parse_reference(image)
    tag = f"{str(reference.digest).replace(':', '-')}.sig"
    fetched = await foreign.client.get_manifest(reference.host, reference.repository, tag)
    manifest = json.loads(fetched.body)
    if broken == "payload":
        payload = marks.payload(str(reference.digest), reference.name)[:-1] + b" }"
        digest = await foreign.client.push_blob(reference.host, reference.repository, payload)
        manifest["layers"][0] |= {"digest": digest, "size": len(payload)}
    elif broken == "signature":
        manifest["layers"][0]["annotations"]["dev.cosignproject.cosign/signature"] = marks.b64(b"no signature")
    else:
        manifest["layers"] = manifest["layers"][1:]
    body = json.dumps(manifest).encode()
    await foreign.client.put_manifest(reference.host, reference.repository, tag, fetched.media_type, body)


async def test_an_attestation_is_no_signature(foreign: Foreign, image: str) -> None:
    await foreign.attest("release", image, "https://example.com/scan", {"result": "bad"})
    assert codes(await foreign.judge(image, "release")) == [Code.NO_SIGNATURE]


async def test_a_bundle_that_cosign_made(foreign: Foreign, image: str) -> None:
    await foreign.attest("release", image, "https://example.com/scan", {"result": "bad"}, "--new-bundle-format")
    assert codes(await foreign.judge(image, "release")) == [Code.NO_SIGNATURE]
    await foreign.attest("release", image, SIGN, {"result": "bad"}, "--new-bundle-format")
    assert codes(await foreign.judge(image, "release")) == [Code.INVALID_SIGNATURE]
    await foreign.new_key("other")
    await foreign.attest("release", image, SIGN, {}, "--new-bundle-format")
    assert (await foreign.judge(image, "release")).outcome is Outcome.ALLOW
    assert set(codes(await foreign.judge(image, "other"))) == {Code.INVALID_SIGNATURE, Code.UNTRUSTED_KEY}
