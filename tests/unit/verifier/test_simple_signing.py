"""The `.sig` form: what is read as an image signature and what is not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verifier.evidence import simple_signing
from verifier.evidence.claims import Signature
from verifier.reasons import Code, Rejection

from tests.factories import marks

PLACE = simple_signing.place_of("sha256:" + "0" * 64, 0)
SIGNATURE = marks.b64(b"some signature")


def parse(payload: bytes, signature: str | None = SIGNATURE) -> Signature:
    return simple_signing.parse(PLACE, payload, signature)


def test_what_cosign_writes_is_read() -> None:
    payload = marks.payload(optional={"creator": "x", "timestamp": 1700000000, "team": "pay"})
    found = parse(payload)
    assert (found.claims.digest, found.claims.identity) == (marks.DIGEST, marks.REPOSITORY)
    assert found.claims.annotations["team"] == "pay"
    assert found.signed == payload
    assert found.signature == b"some signature"
    assert found.signed_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert found.claims.signing_id is None


def test_our_own_claims_are_read_and_go_before_the_timestamp() -> None:
    ours = {
        "hallmark.signing_id": "5f",
        "hallmark.signed_at": "2026-01-02T03:04:05Z",
        "hallmark.signer": "spiffe://x/reviewer/ann",
        "timestamp": 1,
    }
    found = parse(marks.payload(optional=ours))
    assert (found.claims.signing_id, found.claims.signer) == ("5f", "spiffe://x/reviewer/ann")
    assert found.signed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("optional", [None, {}])
def test_no_time_is_no_time(optional: dict[str, str] | None) -> None:
    assert parse(marks.payload(optional=optional)).signed_at is None


@pytest.mark.parametrize(
    "optional",
    [
        {"timestamp": 1.5},
        {"timestamp": "1700000000"},
        {"timestamp": True},
        {"timestamp": 10**17},
        {"creator": 1},
        {"hallmark.signed_at": "2026-01-02T03:04:05"},
        {"hallmark.signed_at": "2026-01-02"},
        {"hallmark.signed_at": "yesterday"},
        {"hallmark.signed_at": 5},
        [],
        "",
        0,
    ],
)
def test_a_broken_optional_part_is_no_signature(optional: Any) -> None:
    with pytest.raises(Rejection) as refused:
        parse(marks.payload(optional=optional))
    assert refused.value.reason.code is Code.INVALID_SIGNATURE


def altered(**changes: object) -> bytes:
    value = json.loads(marks.payload())
    value.update(changes)
    return json.dumps(value).encode()


CRITICAL = json.loads(marks.payload())["critical"]
BROKEN = {
    "optional is missing": json.dumps({"critical": CRITICAL}).encode(),
    "critical is missing": b'{"optional":null}',
    "more at the top": altered(extra=1),
    "more in critical": altered(critical=CRITICAL | {"extra": 1}),
    "names in another case": marks.payload().replace(b"docker-manifest-digest", b"Docker-manifest-digest"),
    "both cases": marks.payload().replace(b'"critical"', b'"Critical":{},"critical"'),
    "two digests": marks.payload().replace(
        b'"docker-manifest-digest"', b'"docker-manifest-digest":"","docker-manifest-digest"'
    ),
    "the digest is a number": altered(critical=CRITICAL | {"image": {"docker-manifest-digest": 1}}),
    "the identity is a list": altered(critical=CRITICAL | {"identity": []}),
    "a list": b"[]",
    "truncated": marks.payload()[:-1],
    "empty": b"",
    "not JSON at all": b"\x00\x01",
    "byte order mark": b"\xef\xbb\xbf" + marks.payload(),
}


@pytest.mark.parametrize("payload", BROKEN.values(), ids=BROKEN.keys())
def test_a_payload_with_another_meaning_for_somebody_is_no_signature(payload: bytes) -> None:
    with pytest.raises(Rejection) as refused:
        parse(payload)
    assert refused.value.reason.code is Code.INVALID_SIGNATURE


@pytest.mark.parametrize("kind", ["x", "atomic container signature", ""])
def test_a_payload_of_another_type_is_no_image_signature(kind: str) -> None:
    with pytest.raises(Rejection) as refused:
        parse(marks.payload(kind=kind))
    assert refused.value.reason.code is Code.WRONG_TYPE


@pytest.mark.parametrize("signature", [None, "", "YQ", "-_8=", "YQ==\n"])
def test_a_signature_not_in_canonical_base64_is_none(signature: str | None) -> None:
    with pytest.raises(Rejection):
        parse(marks.payload(), signature)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_garbage_is_rejected_and_nothing_else(payload: bytes, signature: str) -> None:
    with pytest.raises(Rejection):
        parse(payload, signature)


@given(st.data())
def test_a_changed_payload_never_says_the_same_of_another_digest(data: st.DataObject) -> None:
    payload = bytearray(marks.payload())
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parse(bytes(payload))
    except Rejection:
        return
    assert found.signed == bytes(payload)
