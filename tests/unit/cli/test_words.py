"""Durations, references, texts, and the plain form of messages."""

import json

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1.severity_pb2 import Severity, SeverityCounts
from hallmark.scanner.v1 import image_pb2, risk_pb2, vulnerability_pb2
from hallmark.signer.v1 import gate_pb2, key_pb2, signature_pb2
from hallmark_cli import durations, messages, references
from hallmark_cli.references import Reference
from hallmark_cli.texts import one_line, printable
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(("text", "seconds"), [("90d", 7_776_000), ("24h", 86_400), ("30m", 1_800), ("45s", 45)])
def test_durations(text: str, seconds: int) -> None:
    assert durations.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "0d", "d", "7", "-1d", "1.5h", "1d2h", "7 d", "7D", "٧d", "999999999d", "1d\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        durations.parse(text)


@given(st.integers(1, durations.LONGEST))
def test_a_spoken_duration_is_the_same(seconds: int) -> None:
    assert durations.parse(durations.spoken(Duration(seconds=seconds))).seconds == seconds


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("reg.example.com/app", Reference("reg.example.com/app", "", "")),
        ("reg.example.com:5000/app", Reference("reg.example.com:5000/app", "", "")),
        ("reg.example.com:5000/team/app:1.0", Reference("reg.example.com:5000/team/app", "1.0", "")),
        (f"localhost:5000/app@{DIGEST}", Reference("localhost:5000/app", "", DIGEST)),
        (f"localhost:5000/app:1@{DIGEST}", Reference("localhost:5000/app", "1", DIGEST)),
    ],
)
def test_references_are_taken_apart(text: str, parts: Reference) -> None:
    assert references.split(text) == parts


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b2J", "a\rb", "\u202egnp", "\u200b", "\x07", "\ud800"])
def test_nothing_reaches_the_terminal_that_it_would_obey(hostile: str) -> None:
    shown = printable(f"x{hostile}y")
    assert shown.isprintable()
    assert shown != f"x{hostile}y"


def test_a_cell_has_one_line() -> None:
    assert one_line("a\n\n  b\tc") == "a b\\tc"
    assert printable("a\nb ü 漢") == "a\nb ü 漢"


def test_messages_in_their_plain_form() -> None:
    risk = risk_pb2.ImageRisk(
        repository="r/a",
        state=risk_pb2.IMAGE_RISK_STATE_SCANNED,
        worst_severity=Severity.SEVERITY_HIGH,
        counts=SeverityCounts(high=2),
        reasons=["one"],
        revision=2**40,
    )
    found = messages.plain(risk)
    assert found["state"] == "SCANNED"
    assert found["worst_severity"] == "HIGH"
    assert found["worst_fixable_severity"] is None
    assert found["fixable_counts"] is None
    assert found["reasons"] == ["one"]
    assert found["revision"] == 2**40
    assert found["digest"] == ""
    assert isinstance(found["counts"], dict)
    assert found["counts"]["high"] == 2
    json.dumps(found)


def test_moments_durations_bytes_maps_and_absent_fields() -> None:
    moment = Timestamp(seconds=1_900_000_000)
    assert messages.plain(image_pb2.Image(last_scanned=moment))["last_scanned"] == "2030-03-17T17:46:40Z"
    gate = messages.plain(gate_pb2.Gate(max_age=Duration(seconds=90), ignore_unfixed=False))
    assert (gate["max_age"], gate["ignore_unfixed"], gate["allow_unreadable"]) == ("90s", False, None)
    payload = signature_pb2.SignedPayload(payload_sha256=b"\xab\xcd")
    assert messages.plain(payload)["payload_sha256"] == "abcd"
    assert messages.plain(key_pb2.Key(labels={"b": "2", "a": "1"}))["labels"] == {"a": "1", "b": "2"}
    assert messages.plain(vulnerability_pb2.Rating(score=9.8))["score"] == 9.8
    assert messages.plain(vulnerability_pb2.Rating())["score"] is None


def test_enum_words() -> None:
    severity = Severity.DESCRIPTOR
    assert messages.words(severity) == ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"]
    assert messages.number(severity, "LOW") == Severity.SEVERITY_LOW
    assert messages.word(severity, 0) is None
    # A newer service may send a value that this command does not know.
    assert messages.word(severity, 99) == "99"
