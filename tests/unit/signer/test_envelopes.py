"""Envelopes, byte for byte: what other tools read must not drift."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.digests import Digest
from signer.envelopes import bundle, simple
from signer.envelopes.blobs import Blob
from signer.errors import SignaturesFull

from tests.factories.signings import IMAGE, SIGNED_AT, facts

GATE = (
    '{\\"scan_id\\":\\"scan-1\\",\\"as_of\\":\\"2026-03-01T06:00:00.000000Z\\",\\"worst\\":\\"LOW\\",\\"counts\\":'
    '{\\"CRITICAL\\":0,\\"HIGH\\":0,\\"MEDIUM\\":0,\\"LOW\\":1,\\"NEGLIGIBLE\\":0,\\"UNKNOWN\\":0}}'
)
STATED = (
    '{"build":"42","hallmark.gate":"' + GATE + '","hallmark.signed_at":"2026-03-01T12:30:15.250000Z",'
    '"hallmark.signer":"spiffe://hallmark.test/reviewer/ann",'
    '"hallmark.signing_id":"0b1e4f5c-8a49-4f5e-9d36-0f4b6f1c2a3d"}'
)
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def as_stored(manifest: dict[str, Any]) -> Blob:
    return Blob(manifest["mediaType"], json.dumps(manifest).encode())


def test_simple_signing_payload() -> None:
    assert simple.payload(facts()).decode() == (
        '{"critical":{"identity":{"docker-reference":"reg.example.com/pay/api:v1"},'
        '"image":{"docker-manifest-digest":"' + IMAGE + '"},"type":"cosign container image signature"},'
        '"optional":' + STATED + "}"
    )


def test_statement() -> None:
    assert bundle.statement(facts()).decode() == (
        '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"reg.example.com/pay/api:v1",'
        '"digest":{"sha256":"' + "ab" * 32 + '"},"annotations":' + STATED + "}],"
        '"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}'
    )


def test_what_is_signed_of_a_statement_is_its_pre_authentication_encoding() -> None:
    assert bundle.to_sign(b'{"a": "\xc3\xa9"}') == b'DSSEv1 28 application/vnd.in-toto+json 11 {"a": "\xc3\xa9"}'


def test_bundle() -> None:
    stored = bundle.bundle(b"{}", b"\x01\x02", "00" * 31 + "ff")
    hint = base64.b64encode(bytes(31) + b"\xff").decode()
    assert stored.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert stored.content.decode() == (
        '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"'
        + hint
        + '"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":['
        '{"sig":"AQI=","keyid":"' + hint + '"}]}}'
    )


def test_an_image_without_findings_or_time_is_stated_so() -> None:
    gate = facts().gate
    payload = json.loads(simple.payload(facts(gate=type(gate)("scan-1", None, None, {}))))
    stated = json.loads(payload["optional"]["hallmark.gate"])
    assert (stated["as_of"], stated["worst"], set(stated["counts"].values())) == (None, None, {0})


names = st.text(min_size=1).filter(lambda name: not name.startswith("hallmark."))


@given(st.dictionaries(names, st.text()))
def test_claims_are_signed_as_they_were_given_alike_in_both_forms(claims: dict[str, str]) -> None:
    payload = json.loads(simple.payload(facts(claims=claims)))["optional"]
    statement = json.loads(bundle.statement(facts(claims=claims)))["subject"][0]["annotations"]
    assert payload == statement
    assert {name: value for name, value in payload.items() if not name.startswith("hallmark.")} == claims


def test_the_tags_of_signatures_and_referrers() -> None:
    assert simple.tag(Digest(IMAGE)) == "sha256-" + "ab" * 32 + ".sig"
    assert bundle.fallback_tag(Digest(IMAGE)) == "sha256-" + "ab" * 32


def test_the_first_signature_makes_the_manifest() -> None:
    layer = simple.layer(b"payload", b"\x00\x01")
    config, manifest = simple.with_layer(None, layer)
    digest = "sha256:" + hashlib.sha256(b"payload").hexdigest()
    assert json.loads(manifest.content) == {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": len(config.content),
            "digest": "sha256:" + hashlib.sha256(config.content).hexdigest(),
        },
        "layers": [
            {
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "size": 7,
                "digest": digest,
                "annotations": {"dev.cosignproject.cosign/signature": "AAE="},
            }
        ],
    }
    assert json.loads(config.content)["rootfs"] == {"type": "layers", "diff_ids": [digest]}


def test_signatures_of_others_stay_as_they_are() -> None:
    other = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "size": 3,
        "digest": "sha256:" + "0" * 64,
        "annotations": {"dev.cosignproject.cosign/signature": "x", "dev.sigstore.cosign/bundle": '{"a":1}'},
    }
    stored = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": [other], "annotations": {"a": "b"}}
    layer = simple.layer(b"payload", b"s")
    _, manifest = simple.with_layer(as_stored(stored), layer)
    changed = json.loads(manifest.content)
    assert changed["layers"] == [other, layer.descriptor()]
    assert changed["annotations"] == {"a": "b"}
    assert simple.holds(manifest, layer)
    assert not simple.holds(manifest, simple.layer(b"payload", b"t"))
    assert not simple.holds(None, layer)


HOSTILE: list[Any] = [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"mediaType":1,"layers":1,"manifests":1}']


@pytest.mark.parametrize("content", HOSTILE)
def test_what_is_no_manifest_of_signatures_is_refused_not_overwritten(content: bytes) -> None:
    with pytest.raises(SignaturesFull):
        simple.with_layer(Blob(OCI_MANIFEST, content), simple.layer(b"payload", b"s"))
    with pytest.raises(SignaturesFull):
        bundle.with_referrer(Blob(OCI_INDEX, content), Blob(OCI_MANIFEST, b"{}"))


def test_a_manifest_of_another_type_is_refused_whatever_it_says_of_itself() -> None:
    stored = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [], "manifests": []}
    content = json.dumps(stored).encode()
    with pytest.raises(SignaturesFull):
        simple.with_layer(Blob(OCI_INDEX, content), simple.layer(b"payload", b"s"))
    with pytest.raises(SignaturesFull):
        bundle.with_referrer(Blob(OCI_INDEX, content), Blob(OCI_MANIFEST, b"{}"))


def test_a_manifest_takes_as_many_signatures_as_cosign_reads() -> None:
    layer = simple.layer(b"payload", b"s")
    stored = {"mediaType": OCI_MANIFEST, "layers": [layer.descriptor()] * 999}
    _, full = simple.with_layer(as_stored(stored), layer)
    with pytest.raises(SignaturesFull, match="1000 signatures"):
        simple.with_layer(full, layer)


def test_a_referrer_names_its_image_and_its_bundle() -> None:
    stored = bundle.bundle(b"{}", b"s", "00" * 32)
    subject = {"mediaType": OCI_MANIFEST, "size": 9, "digest": IMAGE}
    manifest = json.loads(bundle.referrer(subject, stored, SIGNED_AT).content)
    assert manifest == {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        },
        "layers": [{"mediaType": stored.media_type, "size": len(stored.content), "digest": stored.digest}],
        "subject": subject,
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
            "org.opencontainers.image.created": "2026-03-01T12:30:15.250000Z",
        },
    }


def test_the_fallback_index_keeps_other_referrers() -> None:
    referrer = bundle.referrer({}, bundle.bundle(b"{}", b"s", "00" * 32), SIGNED_AT)
    other = {"mediaType": OCI_MANIFEST, "size": 1, "digest": "sha256:" + "1" * 64, "artifactType": "text/sbom"}
    first = bundle.with_referrer(None, referrer)
    assert bundle.lists(first, referrer)
    stored = as_stored({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [other]})
    assert not bundle.lists(stored, referrer)
    entries = json.loads(bundle.with_referrer(stored, referrer).content)["manifests"]
    assert entries[0] == other
    assert entries[1]["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert entries[1]["digest"] == referrer.digest
    assert entries[1]["annotations"]["dev.sigstore.bundle.content"] == "dsse-envelope"
