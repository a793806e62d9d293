"""Signing images against a registry: what is written, what is refused, and what stays when it fails half-way."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from chassis.errors import PermissionDenied
from registry.errors import HostNotConfigured
from registry.references import parse_reference
from signer.errors import (
    DigestRequired,
    GateLoosened,
    GateRefused,
    ImageNotFound,
    ImageUnsupported,
    KeyChanged,
    KeyDisabled,
    KeyNotFound,
    RiskChanged,
    TagMoved,
    WrongPurpose,
)
from signer.gate import GateChange
from signer.keyring import KeyUpdate
from signer.keys.algorithms import Algorithm, verifies
from signer.keys.model import KeyState, Purpose
from signer.risk import ImageRisk, RiskState, Severity
from signer.signing import SignRequest
from signer.signings import Filter, Format, Signing, SigningState

from tests.factories.images import Image, attestation, debian, file, image, index, layer
from tests.factories.workshop import REPOSITORY, Workshop, person

GOOD = debian()
ARM = image(layer(file("arm")), platform="linux/arm64")
MULTI = index(GOOD, ARM, attestation(GOOD))


def bundles(shop: Workshop, digest: str) -> list[dict[str, Any]]:
    found = []
    for _, body in shop.registry.manifests.values():
        manifest = json.loads(body)
        if (manifest.get("subject") or {}).get("digest") == digest:
            found.append(json.loads(shop.registry.blobs[REPOSITORY, manifest["layers"][0]["digest"]]))
    return found


async def public_key(shop: Workshop, signing: Signing) -> tuple[Algorithm, bytes]:
    async with shop.store.read() as work:
        version = await work.keys.version(signing.key, signing.key_version)
    assert version
    return version.algorithm, version.public_key


@pytest.mark.parametrize(
    "algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_2048_PKCS1V15_SHA256, Algorithm.RSA_3072_PKCS1V15_SHA256]
)
async def test_an_image_is_signed_in_both_forms_and_recorded(shop: Workshop, algorithm: Algorithm) -> None:
    await shop.key(algorithm=algorithm)
    shop.push(GOOD, "v1")
    shop.risks.scanned(GOOD, worst=Severity.LOW, counts={Severity.LOW: 2})
    signing = await shop.sign(GOOD, tag="v1", claims={"build": "7"})

    (layer_,) = shop.dot_sig(GOOD.digest)
    payload = shop.payload_of(layer_)
    stated = json.loads(payload)
    assert stated["critical"]["identity"]["docker-reference"] == f"{shop.repository}:v1"
    assert stated["critical"]["image"]["docker-manifest-digest"] == GOOD.digest
    assert stated["optional"]["hallmark.signing_id"] == signing.signing_id
    assert stated["optional"]["hallmark.signer"] == "spiffe://test.example/reviewer/pat"
    assert stated["optional"]["build"] == "7"
    assert json.loads(stated["optional"]["hallmark.gate"])["counts"]["LOW"] == 2
    signature = base64.b64decode(layer_["annotations"]["dev.cosignproject.cosign/signature"], validate=True)
    assert verifies(*await public_key(shop, signing), signature, hashlib.sha256(payload).digest())

    (bundle,) = bundles(shop, GOOD.digest)
    statement = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    assert json.loads(statement)["subject"][0]["name"] == f"{shop.repository}:v1"
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(statement), statement)
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    assert verifies(*await public_key(shop, signing), signature, hashlib.sha256(encoded).digest())
    assert (
        bundle["verificationMaterial"]["publicKey"]["hint"]
        == base64.b64encode(bytes.fromhex(signing.fingerprint)).decode()
    )

    assert signing.state is SigningState.DONE
    recorded = await shop.records.signing(person("auditor"), signing.signing_id)
    assert recorded == signing
    assert {one.form: one.sha256 for one in recorded.digests[0].payloads} == {
        Format.SIMPLE_SIGNING: hashlib.sha256(payload).digest(),
        Format.BUNDLE: hashlib.sha256(statement).digest(),
    }


async def test_without_a_tag_the_repository_alone_is_signed(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD, "v1")
    shop.risks.scanned(GOOD)
    await shop.sign(GOOD)
    (layer_,) = shop.dot_sig(GOOD.digest)
    assert json.loads(shop.payload_of(layer_))["critical"]["identity"]["docker-reference"] == shop.repository


async def test_an_index_is_signed_with_every_platform_and_nothing_that_no_runtime_runs(shop: Workshop) -> None:
    await shop.key()
    shop.push(MULTI, "v1")
    shop.risks.scanned(MULTI)
    signing = await shop.sign(MULTI, tag="v1")
    assert [signed.digest for signed in signing.digests] == [MULTI.digest, GOOD.digest, ARM.digest]
    for digest in (MULTI.digest, GOOD.digest, ARM.digest):
        (layer_,) = shop.dot_sig(digest)
        stated = json.loads(shop.payload_of(layer_))
        assert stated["critical"]["image"]["docker-manifest-digest"] == digest
        assert stated["optional"]["hallmark.signing_id"] == signing.signing_id
        assert len(bundles(shop, digest)) == 1
    assert (REPOSITORY, MULTI.children[2].digest.replace(":", "-") + ".sig") not in shop.registry.tags


async def test_an_image_whose_layers_are_given_out_as_attestations_must_pass_the_gate(shop: Workshop) -> None:
    made = attestation(GOOD)
    hidden = Image(made.body, made.media_type, {"os": "linux", "architecture": "arm64"}, made.blobs)
    whole = index(GOOD, hidden)
    await shop.key()
    shop.push(whole)
    shop.risks.scanned(whole)
    shop.risks.platform(hidden, counts={Severity.CRITICAL: 1})
    with pytest.raises(GateRefused) as refusal:
        await shop.sign(whole)
    assert hidden.digest in str(refusal.value)


@pytest.mark.parametrize("bad", [MULTI, GOOD, ARM])
async def test_where_one_platform_fails_the_gate_nothing_is_signed(shop: Workshop, bad: Image) -> None:
    await shop.key()
    shop.push(MULTI)
    shop.risks.scanned(MULTI)
    shop.risks.platform(bad, counts={Severity.CRITICAL: 1})
    before = dict(shop.registry.tags)
    with pytest.raises(GateRefused) as refusal:
        await shop.sign(MULTI)
    assert bad.digest in refusal.value.metadata["SEVERITY_EXCEEDED"]
    assert shop.registry.tags == before
    assert not bundles(shop, GOOD.digest)
    assert (await shop.records.signings(person("auditor"), Filter(), 2**62, 10)).items == ()


async def test_an_image_that_was_never_scanned_is_not_signed(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    with pytest.raises(GateRefused) as refusal:
        await shop.sign(GOOD)
    assert list(refusal.value.metadata) == ["NOT_SCANNED"]


async def test_a_refusal_by_many_platforms_stays_small_enough_to_travel(shop: Workshop) -> None:
    platforms = [image(layer(file(str(number))), platform=f"linux/{number}") for number in range(40)]
    many = index(*platforms)
    await shop.key()
    shop.push(many)
    for one in platforms:
        shop.risks.platform(one, state=RiskState.INCOMPLETE, reasons=("The feed PyPI was never imported.",) * 20)
    with pytest.raises(GateRefused) as refusal:
        await shop.sign(many)
    told = refusal.value.message + "".join(refusal.value.metadata.values())
    assert len(told) < 4000
    assert set(refusal.value.metadata) == {"NOT_SCANNED", "SCAN_INCOMPLETE"}


async def test_a_request_tightens_the_gate_and_cannot_loosen_it(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD, counts={Severity.MEDIUM: 1})
    with pytest.raises(GateRefused):
        await shop.sign(GOOD, gate=GateChange(max_severity=Severity.LOW))
    with pytest.raises(GateLoosened):
        await shop.sign(GOOD, gate=GateChange(max_severity=Severity.HIGH))
    assert (await shop.sign(GOOD)).state is SigningState.DONE


async def test_other_findings_than_those_reviewed_are_refused(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD, risk_digest="a" * 64)
    with pytest.raises(RiskChanged) as refusal:
        await shop.sign(GOOD, reviewed="b" * 64)
    assert refusal.value.metadata["now"] == "a" * 64
    assert (await shop.sign(GOOD, reviewed="a" * 64)).state is SigningState.DONE


async def test_the_tag_beside_the_digest_must_point_at_it(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD, "v1")
    shop.push(ARM, "v2")
    shop.risks.scanned(GOOD)
    with pytest.raises(TagMoved) as refusal:
        await shop.sign(GOOD, tag="v2")
    assert refusal.value.metadata["digest"] == ARM.digest
    with pytest.raises(ImageNotFound):
        await shop.sign(GOOD, tag="v3")


async def test_a_tag_alone_is_not_signed(shop: Workshop) -> None:
    await shop.key()
    tagged = SignRequest(parse_reference(f"{shop.repository}:v1"), "release", {}, GateChange(), "")
    with pytest.raises(DigestRequired):
        await shop.signer.sign(person("reviewer"), tagged)


async def test_what_is_no_image_is_not_signed(shop: Workshop) -> None:
    await shop.key()
    for artifact in (attestation(GOOD), index(attestation(GOOD))):
        shop.push(artifact)
        shop.risks.scanned(artifact)
        with pytest.raises(ImageUnsupported):
            await shop.sign(artifact)
    with pytest.raises(ImageNotFound):
        await shop.sign(GOOD)


async def test_an_index_that_leads_nowhere_for_ever_is_given_up(shop: Workshop) -> None:
    await shop.key()
    many = index(*(attestation(image(layer(file(str(number))))) for number in range(400)))
    shop.push(many)
    with pytest.raises(ImageUnsupported, match="more than 399 manifests"):
        await shop.sign(many)
    shop.registry.requests.clear()
    deep = attestation(GOOD)
    for _ in range(3):
        deep = index(*[deep] * 20)
    shop.push(deep)
    with pytest.raises(ImageUnsupported, match="without a platform"):
        await shop.sign(deep)
    assert len(shop.registry.requests) == 4


async def test_a_gate_that_is_tightened_meanwhile_is_not_slipped_past(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD, counts={Severity.MEDIUM: 1})
    told = shop.risks.of

    async def of(repository: str, digests: Sequence[str]) -> tuple[ImageRisk, ...]:
        stricter = KeyUpdate("release", GateChange(max_severity=Severity.LOW), reset_gate=False, labels=None)
        await shop.keyring.update(person("custodian"), stricter)
        return await told(repository, digests)

    monkeypatch.setattr(shop.risks, "of", of)
    with pytest.raises(KeyChanged, match="gate"):
        await shop.sign(GOOD)
    assert not (await shop.records.signings(person("auditor"), Filter(), 2**62, 10)).items
    with pytest.raises(GateRefused):
        await shop.sign(GOOD)


async def test_a_host_that_is_not_configured_is_not_contacted(shop: Workshop) -> None:
    await shop.key()
    elsewhere = parse_reference(f"elsewhere.example/pay/api@{GOOD.digest}")
    with pytest.raises(HostNotConfigured):
        await shop.signer.sign(person("reviewer"), SignRequest(elsewhere, "release", {}, GateChange(), ""))
    assert not shop.registry.requests


async def test_keys_that_may_not_sign_images(shop: Workshop) -> None:
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    with pytest.raises(KeyNotFound):
        await shop.sign(GOOD)
    await shop.key("scans", purpose=Purpose.ATTESTATION)
    await shop.key("raw", purpose=Purpose.RAW)
    for name in ("scans", "raw"):
        with pytest.raises(WrongPurpose):
            await shop.sign(GOOD, key=name)
    await shop.key()
    await shop.keyring.set_state(person("custodian"), "release", KeyState.DISABLED)
    with pytest.raises(KeyDisabled):
        await shop.sign(GOOD)


async def test_a_binding_limits_keys_and_repositories(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    for narrowed in (person("reviewer", keys=("ci-*",)), person("reviewer", repositories=("reg.example.com/**",))):
        with pytest.raises(PermissionDenied):
            await shop.sign(GOOD, caller=narrowed)
    inside = person("reviewer", keys=("rel*",), repositories=(f"{shop.registry.host}/pay/*",))
    assert (await shop.sign(GOOD, caller=inside)).state is SigningState.DONE


async def test_signatures_of_others_and_earlier_ones_stay(shop: Workshop) -> None:
    await shop.key()
    await shop.key("second")
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    first = await shop.sign(GOOD)
    second = await shop.sign(GOOD, key="second")
    stated = [json.loads(shop.payload_of(one))["optional"]["hallmark.signing_id"] for one in shop.dot_sig(GOOD.digest)]
    assert stated == [first.signing_id, second.signing_id]
    assert len(bundles(shop, GOOD.digest)) == 2


async def test_signing_the_same_digest_many_times_at_once_loses_none(old_shop: Workshop) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    signings = await asyncio.gather(*(old_shop.sign(GOOD) for _ in range(6)))
    stated = {
        json.loads(old_shop.payload_of(one))["optional"]["hallmark.signing_id"] for one in old_shop.dot_sig(GOOD.digest)
    }
    assert stated == {signing.signing_id for signing in signings}
    _, body = old_shop.registry.manifests[REPOSITORY, old_shop.registry.tags[REPOSITORY, GOOD.digest.replace(":", "-")]]
    assert len(json.loads(body)["manifests"]) == 6


async def test_the_audit_log_tells_the_intent_before_and_the_outcome_after(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    with pytest.raises(GateRefused):
        await shop.sign(GOOD)
    shop.risks.scanned(GOOD)
    signing = await shop.sign(GOOD)
    assert [(action, outcome) for action, outcome, _ in await shop.audited()] == [
        ("key.create", "DONE"),
        ("image.sign", "INTENDED"),
        ("image.sign", "FAILED"),
        ("image.sign", "INTENDED"),
        ("image.sign", "DONE"),
    ]
    details = [details for _, _, details in await shop.audited()]
    assert details[2] == {"reason": "GATE_REFUSED"}
    assert details[4] == {"signing_id": signing.signing_id}


async def test_what_happens_is_counted(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    with pytest.raises(GateRefused):
        await shop.sign(GOOD)
    shop.risks.scanned(GOOD)
    await shop.sign(GOOD)

    def count(name: str, **labels: str) -> float | None:
        return shop.metrics.get_sample_value(name, labels)

    assert count("hallmark_signer_signings_total", outcome="DONE") == 1
    assert count("hallmark_signer_signings_total", outcome="GATE_REFUSED") == 1
    assert count("hallmark_signer_gate_failures_total", code="NOT_SCANNED") == 1
    assert count("hallmark_signer_signing_duration_seconds_count") == 1
