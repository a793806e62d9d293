"""Trust and risk as streamed: nothing that restricts is read past."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import risk_pb2
from hallmark.signer.v1 import key_pb2, revocation_pb2, trust_pb2
from verifier.clients.risk_records import decode_risk
from verifier.clients.streams import UnknownRecord
from verifier.clients.trust_records import decode_trust
from verifier.risk import FeedSet, ImageRisk, RiskState, Severity
from verifier.trust import (
    DigestsTarget,
    EarlierSignings,
    KeyVersion,
    KeyVersionTarget,
    NewSigning,
    Purpose,
    Revocation,
    SignatureTarget,
)

from tests.factories import marks, told

KEY = marks.new_key()


def version(**members: Any) -> KeyVersion:
    decoded = decode_trust(told.key_version(KEY, **members))
    assert isinstance(decoded, KeyVersion)
    return decoded


def test_a_key_version() -> None:
    found = version(version=3)
    assert (found.key, found.version, found.purpose) == ("release", 3, Purpose.IMAGE_SIGNATURE)
    assert (found.enabled, found.revoked, found.unreadable) == (True, False, "")
    assert found.public
    assert found.public.fingerprint == found.fingerprint == marks.fingerprint_of(KEY)
    assert found.valid_from == datetime(2020, 1, 1, tzinfo=UTC)


def test_what_is_not_enabled_does_not_count() -> None:
    assert not version(state=key_pb2.KEY_STATE_DISABLED).enabled
    assert not version(state=key_pb2.KEY_STATE_UNSPECIFIED).enabled
    assert not version(state=9).enabled
    assert version(revoked_from=Timestamp()).revoked


def test_purposes() -> None:
    assert version(purpose=key_pb2.KEY_PURPOSE_ATTESTATION).purpose is Purpose.ATTESTATION
    raw = version(purpose=key_pb2.KEY_PURPOSE_RAW, public_key_pem="")
    assert (raw.purpose, raw.public, raw.unreadable) == (Purpose.RAW, None, "")
    assert version(purpose=9).purpose is Purpose.RAW


@pytest.mark.parametrize(
    "members",
    [
        {"public_key_pem": ""},
        {"public_key_pem": "no key"},
        {"public_key_pem": marks.pem_of(marks.new_key())},
        {"fingerprint": "0" * 64},
        {"algorithm": 99},
        {"algorithm": key_pb2.ALGORITHM_RSA_2048_PKCS1V15_SHA256},
    ],
)
def test_a_key_that_cannot_be_read_says_why(members: dict[str, Any]) -> None:
    found = version(**members)
    assert found.public is None
    assert found.unreadable


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        (revocation_pb2.RevocationTarget(signing_id="5f"), DigestsTarget("5f")),
        (revocation_pb2.RevocationTarget(digest=marks.DIGEST), DigestsTarget(None)),
        (
            revocation_pb2.RevocationTarget(
                signature=revocation_pb2.SignatureTarget(digest=marks.DIGEST, key="release", version=2)
            ),
            SignatureTarget(marks.DIGEST, "release", 2),
        ),
        (
            revocation_pb2.RevocationTarget(key_version=revocation_pb2.KeyVersionTarget(key="release", version=2)),
            KeyVersionTarget("release", 2),
        ),
    ],
)
def test_revocations(target: revocation_pb2.RevocationTarget, meant: object) -> None:
    found = decode_trust(told.revocation(target, marks.DIGEST))
    assert found == Revocation("r1", meant, "a mistake", frozenset({marks.DIGEST}))  # type: ignore[arg-type]  # any


def test_signings_earlier_and_new() -> None:
    earlier = trust_pb2.EarlierSignings(
        revocation_id="r1", signings=[trust_pb2.EarlierSigning(signing_id="5f", payload_sha256=b"x" * 32)]
    )
    assert decode_trust(trust_pb2.TrustRecord(earlier_signings=earlier)) == EarlierSignings(
        "r1", frozenset({("5f", b"x" * 32)})
    )
    assert decode_trust(told.signing("reg/x", marks.DIGEST)) == NewSigning("reg/x", (marks.DIGEST,))


@pytest.mark.parametrize(
    "record", [trust_pb2.TrustRecord(), told.revocation(revocation_pb2.RevocationTarget(), marks.DIGEST)]
)
def test_trust_of_an_unknown_kind_breaks_the_stream(record: trust_pb2.TrustRecord) -> None:
    with pytest.raises(UnknownRecord):
        decode_trust(record)


def test_times_out_of_range_break_the_stream() -> None:
    with pytest.raises(UnknownRecord):
        decode_trust(told.key_version(KEY, valid_from=Timestamp(seconds=1 << 61)))


def image(**members: Any) -> ImageRisk:
    decoded = decode_risk(told.risk("reg/x", **members))
    assert isinstance(decoded, ImageRisk)
    return decoded


def test_risk() -> None:
    counts = severity_pb2.SeverityCounts(critical=1, high=2, medium=3, low=4, negligible=5, unknown=6)
    found = image(counts=counts, fixable_counts=severity_pb2.SeverityCounts(low=1), unreadable=7, reasons=["so"])
    assert (found.repository, found.digest, found.state, found.unreadable) == (
        "reg/x", marks.DIGEST, RiskState.SCANNED, 7,
    )  # fmt: skip
    assert [found.counts.rated[severity] for severity in sorted(Severity, reverse=True)] == [1, 2, 3, 4, 5]
    assert (found.counts.unknown, found.fixable.rated[Severity.LOW], found.feed_set) == (6, 1, "Debian:12")


@pytest.mark.parametrize("state", [s for s in RiskState if s is not RiskState.SCANNED])
def test_states(state: RiskState) -> None:
    assert image(state=risk_pb2.ImageRiskState.Value(f"IMAGE_RISK_STATE_{state.value}")).state is state


@pytest.mark.parametrize("state", [0, 99])
def test_a_state_that_is_not_known_passes_nothing(state: int) -> None:
    assert image(state=state).state is RiskState.INCOMPLETE


def test_feed_sets() -> None:
    found = decode_risk(told.feeds(too_old=True, reasons=["The feed is old."]))
    assert isinstance(found, FeedSet)
    assert (found.id, found.too_old, found.reasons) == ("Debian:12", True, ("The feed is old.",))
    never = decode_risk(risk_pb2.RiskRecord(feed_set=risk_pb2.FeedSet(feed_set_id="x")))
    assert isinstance(never, FeedSet)
    assert never.as_of is None


def test_risk_of_an_unknown_kind_breaks_the_stream() -> None:
    with pytest.raises(UnknownRecord):
        decode_risk(risk_pb2.RiskRecord())
