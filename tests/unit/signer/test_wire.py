"""Decoding requests: what is refused, and by the name of which field."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chassis.errors import Refusal
from chassis.paging import InvalidPageToken, Page
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1 import severity_pb2
from hallmark.signer.v1 import gate_pb2, key_pb2, key_service_pb2, revocation_pb2, signing_service_pb2
from hypothesis import given as giving
from hypothesis import strategies as st
from signer.gate import GateChange
from signer.keyring import KeyUpdate
from signer.keys.algorithms import Algorithm
from signer.keys.model import Purpose
from signer.revocations import DigestTarget, KeyVersionTarget, SignatureTarget, SigningTarget
from signer.risk import Severity
from signer.wire import reading

DIGEST = "sha256:" + "a" * 64
IMAGE = f"reg.example.com/pay/api:v1@{DIGEST}"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
UUID = "0b1e4f5c-8a49-4f5e-9d36-0f4b6f1c2a3d"
IMAGE_KEY = key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE


def field_of(refusal: pytest.ExceptionInfo[Refusal]) -> str:
    return refusal.value.violations[0].field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "Release"}, "name"),
        ({"name": "-a"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"name": "relea\u0455e"}, "name"),
        ({"name": "release\n"}, "name"),
        ({"purpose": key_pb2.KEY_PURPOSE_UNSPECIFIED}, "purpose"),
        ({"purpose": 99}, "purpose"),
        ({"algorithm": key_pb2.ALGORITHM_UNSPECIFIED}, "algorithm"),
        ({"algorithm": 99}, "algorithm"),
        ({"labels": {"": "x"}}, "labels"),
        ({"labels": {"a" * 64: ""}}, "labels"),
        ({"labels": {"a": "b" * 257}}, "labels"),
        ({"labels": {str(number): "" for number in range(33)}}, "labels"),
        ({"gate": gate_pb2.Gate(max_severity=severity_pb2.SEVERITY_UNKNOWN)}, "gate.max_severity"),
        ({"gate": gate_pb2.Gate(max_severity=severity_pb2.SEVERITY_UNSPECIFIED)}, "gate.max_severity"),
        ({"gate": gate_pb2.Gate(unknown_as=severity_pb2.SEVERITY_UNKNOWN)}, "gate.unknown_as"),
        ({"gate": gate_pb2.Gate(max_age=Duration())}, "gate.max_age"),
        ({"gate": gate_pb2.Gate(max_age=Duration(seconds=-1))}, "gate.max_age"),
        ({"gate": gate_pb2.Gate(max_age=Duration(seconds=365 * 86400 + 1))}, "gate.max_age"),
    ],
)
def test_what_no_key_can_be_made_from(fields: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"name": "release", "purpose": IMAGE_KEY} | fields
    request = key_service_pb2.CreateKeyRequest(**given)
    with pytest.raises(Refusal) as refusal:
        reading.new_key(request)
    assert field_of(refusal) == field


def test_a_new_key() -> None:
    request = key_service_pb2.CreateKeyRequest(
        name="release",
        purpose=IMAGE_KEY,
        algorithm=key_pb2.ALGORITHM_RSA_3072_PKCS1V15_SHA256,
        gate=gate_pb2.Gate(max_age=Duration(seconds=90), ignore_unfixed=False),
        labels={"team": "pay"},
    )
    wanted = reading.new_key(request)
    assert (wanted.purpose, wanted.algorithm) == (Purpose.IMAGE_SIGNATURE, Algorithm.RSA_3072_PKCS1V15_SHA256)
    assert wanted.gate == GateChange(max_age=timedelta(seconds=90), ignore_unfixed=False)
    assert wanted.labels == {"team": "pay"}


GATE = gate_pb2.Gate(max_severity=severity_pb2.SEVERITY_LOW, allow_unreadable=True)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["gate"], KeyUpdate("a", GateChange(Severity.LOW, allow_unreadable=True), reset_gate=True, labels=None)),
        (["gate.max_severity"], KeyUpdate("a", GateChange(Severity.LOW), reset_gate=False, labels=None)),
        (["labels"], KeyUpdate("a", None, reset_gate=False, labels={"b": "c"})),
    ],
)
def test_an_update_reads_what_its_mask_names_alone(paths: list[str], expected: KeyUpdate) -> None:
    key = key_pb2.Key(name="a", gate=GATE, labels={"b": "c"}, purpose=key_pb2.KEY_PURPOSE_RAW)
    request = key_service_pb2.UpdateKeyRequest(key=key, update_mask=FieldMask(paths=paths))
    assert reading.key_update(request) == expected


@pytest.mark.parametrize("paths", [[], ["name"], ["purpose"], ["gate.unknown"], ["gate", "state"], ["*"], ["gate."]])
def test_a_mask_that_names_anything_else_is_refused(paths: list[str]) -> None:
    request = key_service_pb2.UpdateKeyRequest(key=key_pb2.Key(name="a"), update_mask=FieldMask(paths=paths))
    with pytest.raises(Refusal) as refusal:
        reading.key_update(request)
    assert field_of(refusal) == "update_mask"


def test_a_mask_that_names_a_limit_without_a_value_is_refused() -> None:
    request = key_service_pb2.UpdateKeyRequest(key=key_pb2.Key(name="a"), update_mask=FieldMask(paths=["gate.max_age"]))
    with pytest.raises(Refusal) as refusal:
        reading.key_update(request)
    assert field_of(refusal) == "key.gate.max_age"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image": ""}, "image"),
        ({"image": "reg.example.com/UPPER@" + DIGEST}, "image"),
        ({"image": "reg.example.com/a@sha512:" + "a" * 128}, "image"),
        ({"image": "reg.example.com/a@sha256:../../b"}, "image"),
        ({"image": "reg.example.com/" + "a" * 600}, "image"),
        ({"key": ""}, "key"),
        ({"claims": {"hallmark.signer": "me"}}, "claims"),
        ({"claims": {"Hallmark.Signer": "me"}}, "claims"),
        ({"claims": {"timestamp": "1"}}, "claims"),
        ({"claims": {"creator": "me"}}, "claims"),
        ({"claims": {"": "x"}}, "claims"),
        ({"claims": {"a" * 129: "x"}}, "claims"),
        ({"claims": {"a": "x" * 1025}}, "claims"),
        ({"claims": {str(number): "" for number in range(33)}}, "claims"),
        ({"reviewed": "a" * 129}, "reviewed"),
        ({"gate": gate_pb2.Gate(max_age=Duration(seconds=0))}, "gate.max_age"),
    ],
)
def test_what_cannot_be_signed(fields: dict[str, Any], field: str) -> None:
    request = signing_service_pb2.SignImageRequest(**({"image": IMAGE, "key": "release"} | fields))
    with pytest.raises(Refusal) as refusal:
        reading.sign_request(request)
    assert field_of(refusal) == field


UNKNOWN_FIELD = b"\xfa\x07\x01x"
"""Field number 127 in protobuf's wire format."""


def test_a_limit_that_is_not_known_is_refused_not_ignored() -> None:
    gate = gate_pb2.Gate.FromString(UNKNOWN_FIELD)
    requests = (
        signing_service_pb2.SignImageRequest(image=IMAGE, key="release", gate=gate),
        signing_service_pb2.SignImageRequest.FromString(
            signing_service_pb2.SignImageRequest(image=IMAGE, key="release").SerializeToString() + UNKNOWN_FIELD
        ),
    )
    for request, field in zip(requests, ("gate.127", "127"), strict=True):
        with pytest.raises(Refusal, match="does not know") as refusal:
            reading.sign_request(request)
        assert field_of(refusal) == field
    key = key_service_pb2.CreateKeyRequest(name="a", purpose=key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE, gate=gate)
    with pytest.raises(Refusal, match="does not know"):
        reading.new_key(key)


@pytest.mark.parametrize(("cursor", "before"), [("", 100), ("7", 7), ("100", 100)])
def test_where_a_page_begins(cursor: str, before: int) -> None:
    assert reading.cursor(Page(10, cursor, b""), 100) == before


@pytest.mark.parametrize("cursor", ["x", "-1", "0", "101", "9" * 400, "1e3", "7.0"])
def test_a_forged_page_token_is_none(cursor: str) -> None:
    with pytest.raises(InvalidPageToken):
        reading.cursor(Page(10, cursor, b""), 100)


def test_a_sign_request() -> None:
    request = signing_service_pb2.SignImageRequest(image=IMAGE, key="release", claims={"a": "b"}, reviewed="c")
    wanted = reading.sign_request(request)
    assert (wanted.image.name, wanted.image.tag, wanted.image.digest) == ("reg.example.com/pay/api", "v1", DIGEST)
    assert (wanted.key, wanted.claims, wanted.gate, wanted.reviewed) == ("release", {"a": "b"}, GateChange(), "c")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (revocation_pb2.RevocationTarget(signing_id=UUID.upper()), SigningTarget(UUID)),
        (revocation_pb2.RevocationTarget(digest=DIGEST), DigestTarget(reading.digest(DIGEST, ""))),
        (
            revocation_pb2.RevocationTarget(
                signature=revocation_pb2.SignatureTarget(digest=DIGEST, key="a", version=2)
            ),
            SignatureTarget(reading.digest(DIGEST, ""), "a", 2),
        ),
        (
            revocation_pb2.RevocationTarget(key_version=revocation_pb2.KeyVersionTarget(key="a", version=2)),
            KeyVersionTarget("a", 2, NOW),
        ),
        (
            revocation_pb2.RevocationTarget(
                key_version=revocation_pb2.KeyVersionTarget(key="a", version=2, from_time=Timestamp(seconds=1))
            ),
            KeyVersionTarget("a", 2, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ),
    ],
)
def test_what_a_revocation_names(message: revocation_pb2.RevocationTarget, expected: object) -> None:
    assert reading.target(message, NOW) == expected


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (revocation_pb2.RevocationTarget(), "target"),
        (revocation_pb2.RevocationTarget(signing_id="x"), "target.signing_id"),
        (revocation_pb2.RevocationTarget(digest="sha256:x"), "target.digest"),
        (
            revocation_pb2.RevocationTarget(signature=revocation_pb2.SignatureTarget(digest=DIGEST)),
            "target.signature.key",
        ),
        (
            revocation_pb2.RevocationTarget(signature=revocation_pb2.SignatureTarget(key="a")),
            "target.signature.digest",
        ),
        (
            revocation_pb2.RevocationTarget(key_version=revocation_pb2.KeyVersionTarget(version=1)),
            "target.key_version.key",
        ),
        (
            revocation_pb2.RevocationTarget(
                key_version=revocation_pb2.KeyVersionTarget(key="a", from_time=Timestamp(seconds=2**62))
            ),
            "target.key_version.from_time",
        ),
    ],
)
def test_what_no_revocation_can_name(message: revocation_pb2.RevocationTarget, field: str) -> None:
    with pytest.raises(Refusal) as refusal:
        reading.target(message, NOW)
    assert field_of(refusal) == field


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 1025])
def test_a_revocation_needs_a_reason(reason: str) -> None:
    with pytest.raises(Refusal):
        reading.reason(reason)


@giving(st.binary(max_size=300))
def test_no_bytes_of_a_request_break_its_decoding(content: bytes) -> None:
    request = signing_service_pb2.SignImageRequest(image=content.decode("latin-1"), key=content.decode("latin-1"))
    with contextlib.suppress(Refusal):
        assert str(reading.sign_request(request).image).isascii()
