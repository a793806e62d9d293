"""The bundle form: what is read as an image signature and what is not."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verifier.evidence import bundles
from verifier.evidence.claims import Signature
from verifier.evidence.keys import parse_public_key
from verifier.reasons import Code, Rejection

from tests.factories import marks

PLACE = bundles.place_of("sha256:" + "0" * 64)
KEY = marks.new_key()
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"


def parse(data: bytes) -> Signature:
    return bundles.parse(PLACE, data)


def altered(**changes: Any) -> bytes:
    return json.dumps(json.loads(marks.bundle(KEY, marks.statement())) | changes).encode()


def test_a_bundle_around_an_image_signature_is_read() -> None:
    content = marks.statement(annotations={"hallmark.signing_id": "5f", "hallmark.signed_at": "2026-01-02T03:04:05Z"})
    found = parse(marks.bundle(KEY, content))
    assert (found.claims.digest, found.claims.identity, found.claims.signing_id) == (
        marks.DIGEST,
        marks.REPOSITORY,
        "5f",
    )
    assert found.hint == marks.fingerprint_of(KEY)
    assert found.signed == b"DSSEv1 28 application/vnd.in-toto+json %d " % len(content) + content
    parse_public_key(marks.pem_of(KEY)).check(found.signature, found.signed)


def test_the_encoding_before_signing_counts_bytes() -> None:
    assert (
        bundles.pae("http://example.com/HelloWorld", "hé".encode())
        == b"DSSEv1 29 http://example.com/HelloWorld 3 h\xc3\xa9"
    )


@pytest.mark.parametrize("hint", ["", "my key", base64.b64encode(b"short").decode()])
def test_a_hint_that_is_no_fingerprint_names_no_key(hint: str) -> None:
    assert parse(marks.bundle(KEY, marks.statement(), hint=hint)).hint is None


def test_a_subject_without_a_name_names_no_repository() -> None:
    subject = [{"digest": {"sha256": "ab" * 32}}]
    assert parse(marks.bundle(KEY, marks.statement(subject=subject))).claims.identity == ""


BROKEN = {
    "an older media type": altered(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
    "more at the top": altered(extra=1),
    "names in another spelling": marks.bundle(KEY, marks.statement()).replace(b"mediaType", b"media_type"),
    "unknown material": altered(verificationMaterial={"secretKey": {}}),
    "hint and keyid differ": altered(verificationMaterial={"publicKey": {"hint": "b3RoZXI="}}),
    "two signatures": marks.bundle(KEY, marks.statement(), signatures=[{"sig": "YQ=="}, {"sig": "YQ=="}]),
    "no signature": marks.bundle(KEY, marks.statement(), signatures=[]),
    "an empty signature": marks.bundle(KEY, marks.statement(), signatures=[{"sig": ""}]),
    "a signature in URL-safe base64": marks.bundle(KEY, marks.statement(), signatures=[{"sig": "-_8="}]),
    "two subjects": marks.bundle(KEY, marks.statement(subject=[{"digest": {"sha256": "ab" * 32}}] * 2)),
    "no subject": marks.bundle(KEY, marks.statement(subject=[])),
    "a digest in capitals": marks.bundle(KEY, marks.statement(digest="sha256:" + "AB" * 32)),
    "a short digest": marks.bundle(KEY, marks.statement(digest="sha256:ab")),
    "a second digest": marks.bundle(KEY, marks.statement(subject=[{"digest": {"sha256": "ab" * 32, "sha512": "a"}}])),
    "a predicate that says something": marks.bundle(KEY, marks.statement(predicate={"result": "bad"})),
    "more in the statement": marks.bundle(KEY, marks.statement(extra=1)),
    "validly signed, not JSON": marks.bundle(KEY, b"not JSON"),
    "validly signed, duplicate names": marks.bundle(KEY, marks.statement()[:-1] + b',"predicateType":"x"}'),
    "truncated": marks.bundle(KEY, marks.statement())[:-1],
    "empty": b"",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_bundle_is_no_signature(data: bytes) -> None:
    with pytest.raises(Rejection) as refused:
        parse(data)
    assert refused.value.reason.code is Code.INVALID_SIGNATURE


OTHER = {
    "an attestation": marks.bundle(KEY, marks.statement(predicate_type=VULN)),
    "another payload type": marks.bundle(KEY, marks.statement(), payloadType="text/plain"),
    "another statement": marks.bundle(KEY, marks.statement(_type="https://in-toto.io/Statement/v2")),
    "a message signature": json.dumps(
        {"mediaType": bundles.MEDIA_TYPE, "verificationMaterial": {}, "messageSignature": {"signature": "YQ=="}}
    ).encode(),
    "both contents": altered(messageSignature={}),
}


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER.keys())
def test_what_was_signed_for_another_purpose_is_no_image_signature(data: bytes) -> None:
    with pytest.raises(Rejection) as refused:
        parse(data)
    assert refused.value.reason.code is Code.WRONG_TYPE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.data(), json_values)
def test_any_part_replaced_is_rejected_or_still_says_what_is_signed(data: st.DataObject, value: object) -> None:
    top = json.loads(marks.bundle(KEY, marks.statement()))
    holder = data.draw(
        st.sampled_from([top, top["verificationMaterial"], top["dsseEnvelope"], top["dsseEnvelope"]["signatures"][0]])
    )
    holder[data.draw(st.sampled_from(sorted(holder)))] = value
    try:
        found = parse(json.dumps(top).encode())
    except Rejection:
        return
    assert found.claims.digest == marks.DIGEST


@given(st.binary(max_size=300))
def test_garbage_is_rejected_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Rejection):
        parse(data)
