"""Somebody who may write to the registry, name any image and sign with a key that no authority names: never a yes."""

from collections.abc import Callable

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hallmark.policy.v1 import policy_pb2
from hallmark.signer.v1 import key_pb2, revocation_pb2
from hallmark.verifier.v1 import reason_pb2, verdict_pb2

from tests.factories import marks, told
from tests.factories import stored_signatures as store
from tests.integration.verifier.conftest import REPOSITORY, Running, until

EVIL = "sha256:" + "ee" * 32
THEIRS = marks.new_key()
"""An enabled key of the signer, `theirs`, which no authority names."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def reasons(verdict: verdict_pb2.Verdict) -> set[str]:
    return {reason_pb2.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in verdict.reasons}


@pytest.fixture
async def attacked(running: Running) -> Running:
    """The verifier, which knows the attacker's key."""
    running.upstreams.signer.told.tell(told.key_version(THEIRS, "theirs"))
    await until(lambda: bool(running.process.feeds.trust().versions("theirs")))
    return running


def sig_tag(digest: str) -> str:
    return f"sha256-{digest[7:]}.sig"


def good_payload(running: Running) -> bytes:
    return marks.payload(identity=running.repository)


def evil_payload(running: Running) -> bytes:
    return marks.payload(EVIL, identity=running.repository)


def put_layers(running: Running, *signatures: tuple[bytes, bytes]) -> None:
    """A `.sig` manifest of the evil image: payloads with their signatures."""
    layers = [
        store.simple_layer(running.registry, REPOSITORY, payload, marks.b64(signature))
        for payload, signature in signatures
    ]
    running.registry.put_manifest(REPOSITORY, store.OCI_MANIFEST, store.manifest(layers), sig_tag(EVIL))


def copy_the_signatures(running: Running) -> None:
    running.registry.tags[REPOSITORY, sig_tag(EVIL)] = running.registry.tags[REPOSITORY, sig_tag(marks.DIGEST)]


def sign_with_their_own_key(running: Running) -> None:
    running.sign(EVIL, THEIRS)


def sign_as_if_by_release(running: Running) -> None:
    content = marks.statement(EVIL, running.repository)
    named = marks.b64(bytes.fromhex(marks.fingerprint_of(running.key)))
    store.store_bundle(running.registry, REPOSITORY, EVIL, marks.bundle(THEIRS, content, hint=named))


def graft_a_good_signature(running: Running) -> None:
    good = marks.sign(running.key, good_payload(running))
    put_layers(running, (evil_payload(running), good), (good_payload(running), good))


def refer_with_the_bundle_of_another(running: Running) -> None:
    bundle = marks.bundle(running.key, marks.statement(identity=running.repository))
    store.store_bundle(running.registry, REPOSITORY, EVIL, bundle)


def list_the_referrer_of_another(running: Running) -> None:
    bundle = marks.bundle(running.key, marks.statement(identity=running.repository))
    digest = store.store_bundle(running.registry, REPOSITORY, marks.DIGEST, bundle)
    listed = {"mediaType": store.OCI_MANIFEST, "digest": digest, "size": 1, "artifactType": store.BUNDLE}
    kind = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": [listed]}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(index, content_type=kind)

    running.registry.faults["GET", f"/v2/{REPOSITORY}/referrers/{EVIL}"] = answer


def answer_with_other_bytes(running: Running) -> None:
    """The manifest names a payload that was signed, the registry gives another for its digest."""
    good = good_payload(running)
    put_layers(running, (good, marks.sign(running.key, good)))
    held = next(digest for (_, digest), data in running.registry.blobs.items() if data == good)
    running.registry.blobs[REPOSITORY, held] = evil_payload(running)


def name_the_digest_of_the_image_below_the_tag(running: Running) -> None:
    """The signature tag points at the good image's own, under the name of the evil digest."""
    held = running.registry.manifests[REPOSITORY, running.registry.tags[REPOSITORY, sig_tag(marks.DIGEST)]]

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=held[1], headers={"Content-Type": held[0], "Docker-Content-Digest": EVIL})

    running.registry.faults["GET", f"/v2/{REPOSITORY}/manifests/{sig_tag(EVIL)}"] = answer


def repeat_a_name(running: Running) -> None:
    """A payload signed by their key that says both digests."""
    twice = evil_payload(running).replace(b'"image":{', b'"image":{"docker-manifest-digest":"%s",' % EVIL.encode())
    put_layers(running, (twice, marks.sign(running.key, twice)))


@pytest.mark.parametrize(
    ("attack", "codes"),
    [
        (copy_the_signatures, {"DIGEST_MISMATCH"}),
        (sign_with_their_own_key, {"UNTRUSTED_KEY"}),
        (sign_as_if_by_release, {"UNTRUSTED_KEY"}),
        (graft_a_good_signature, {"UNTRUSTED_KEY", "DIGEST_MISMATCH"}),
        (refer_with_the_bundle_of_another, {"DIGEST_MISMATCH"}),
        (list_the_referrer_of_another, {"INVALID_SIGNATURE"}),
        (answer_with_other_bytes, {"DIGEST_MISMATCH"}),
        (name_the_digest_of_the_image_below_the_tag, {"DIGEST_MISMATCH"}),
        (repeat_a_name, {"INVALID_SIGNATURE"}),
    ],
)
async def test_an_image_that_nobody_signed(
    attacked: Running, attack: Callable[[Running], None], codes: set[str]
) -> None:
    attack(attacked)
    evil = f"{attacked.repository}@{EVIL}"
    good, bad = await attacked.verify(attacked.image, evil, namespace="pay-eu")
    assert bad.effect == verdict_pb2.EFFECT_REJECT
    assert reasons(bad) == codes
    assert attack is answer_with_other_bytes or good.effect == verdict_pb2.EFFECT_ADMIT


async def test_a_signed_image_moved_to_another_repository(attacked: Running) -> None:
    held = attacked.registry.tags[REPOSITORY, sig_tag(marks.DIGEST)]
    media_type, body = attacked.registry.manifests[REPOSITORY, held]
    attacked.registry.put_manifest("evil/web", media_type, body, sig_tag(marks.DIGEST))
    attacked.registry.put_blob("evil/web", good_payload(attacked))
    (verdict,) = await attacked.verify(f"{attacked.registry.host}/evil/web@{marks.DIGEST}", namespace="pay-eu")
    assert (verdict.effect, reasons(verdict)) == (verdict_pb2.EFFECT_REJECT, {"IDENTITY_MISMATCH"})


async def test_a_tag_moved_after_it_was_judged(attacked: Running) -> None:
    template = verdict_pb2.OBJECT_FORM_TEMPLATE
    image = f"{attacked.repository}:1.2"
    good = attacked.registry.put_manifest(REPOSITORY, store.OCI_MANIFEST, store.manifest([]), "1.2")
    attacked.sign(good)
    (verdict,) = await attacked.verify(image, namespace="pay-eu", form=template)
    assert (verdict.effect, verdict.digest) == (verdict_pb2.EFFECT_ADMIT_WITH_WARNING, good)
    evil = attacked.registry.put_manifest(
        REPOSITORY, store.OCI_MANIFEST, store.manifest([], annotations={"evil": "yes"}), "1.2"
    )
    (verdict,) = await attacked.verify(image, namespace="pay-eu", form=template)
    assert (verdict.effect, verdict.digest) == (verdict_pb2.EFFECT_REJECT, evil)
    (verdict,) = await attacked.verify(f"{image}@{good}", namespace="pay-eu")
    assert verdict.effect == verdict_pb2.EFFECT_ADMIT, "the digest is what runs"
    (verdict,) = await attacked.verify(f"{image}@{evil}", namespace="pay-eu")
    assert verdict.effect == verdict_pb2.EFFECT_REJECT


async def test_a_signature_with_other_bytes_of_the_same_meaning_does_not_outlive_its_revocation(
    attacked: Running,
) -> None:
    payload = marks.payload(identity=attacked.repository, optional={"hallmark.signing_id": "5f"})
    r, s = decode_dss_signature(marks.sign(attacked.key, payload))
    layer = store.simple_layer(attacked.registry, REPOSITORY, payload, marks.b64(encode_dss_signature(r, ORDER - s)))
    body = store.manifest([layer])
    attacked.registry.put_manifest(REPOSITORY, store.OCI_MANIFEST, body, sig_tag(marks.DIGEST))
    (verdict,) = await attacked.verify(attacked.image, namespace="pay-eu")
    assert verdict.effect == verdict_pb2.EFFECT_ADMIT
    revoked = revocation_pb2.RevocationTarget(signing_id="5f")
    attacked.upstreams.signer.told.tell(told.revocation(revoked, marks.DIGEST), told.key_version(THEIRS, "last"))
    await until(lambda: bool(attacked.process.feeds.trust().versions("last")))
    (verdict,) = await attacked.verify(attacked.image, namespace="pay-eu")
    assert (verdict.effect, reasons(verdict)) == (verdict_pb2.EFFECT_REJECT, {"SIGNATURE_REVOKED"})


@pytest.mark.parametrize(
    "state", [key_pb2.KEY_STATE_DISABLED, key_pb2.KEY_STATE_UNSPECIFIED, 99], ids=["disabled", "unspecified", "newer"]
)
async def test_a_key_that_is_not_enabled_any_more(attacked: Running, state: key_pb2.KeyState.ValueType) -> None:
    (verdict,) = await attacked.verify(attacked.image, namespace="pay-eu")
    assert verdict.effect == verdict_pb2.EFFECT_ADMIT
    attacked.upstreams.signer.told.tell(told.key_version(attacked.key, state=state))
    await until(lambda: not attacked.process.feeds.trust().versions("release")[0].enabled)
    (verdict,) = await attacked.verify(attacked.image, namespace="pay-eu")
    assert (verdict.effect, reasons(verdict)) == (verdict_pb2.EFFECT_REJECT, {"KEY_DISABLED"})


@pytest.mark.parametrize(
    "spelled",
    ["{host}/pay/web", "{host}/pay/web:1", "{HOST}/pay/web"],
)
async def test_no_spelling_of_an_image_evades_the_rule_that_names_it(attacked: Running, spelled: str) -> None:
    demanding = told.rule(match=policy_pb2.Match(images=[f"{attacked.registry.host}/pay/**"]))
    loose = told.rule("loose", verdict=policy_pb2.FIXED_VERDICT_ALLOW)
    attacked.upstreams.policy.told.tell(told.policy(demanding, loose, revision=2))
    await until(lambda: attacked.process.feeds.policy(told.CLUSTER).revision == 2)
    host = attacked.registry.host
    image = f"{spelled.format(host=host, HOST=host.upper())}@{EVIL}"
    (verdict,) = await attacked.verify(image)
    assert (verdict.effect, verdict.rule) == (verdict_pb2.EFFECT_REJECT, "payments")
    port = host.rpartition(":")[2]
    (verdict,) = await attacked.verify(image.replace(f":{port}", f":0{port}"))
    assert (verdict.effect, reasons(verdict)) == (verdict_pb2.EFFECT_REJECT, {"INVALID_REFERENCE"})
