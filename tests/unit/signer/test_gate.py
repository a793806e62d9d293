"""The gate's table: what passes, what does not, and for which reason."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signer.errors import GateLoosened
from signer.gate import Gate, GateChange, change, failures, tighten
from signer.risk import RANKED, RiskState, Severity

from tests.factories.risks import DIGEST, NOW, image_risk


def codes(gate: Gate, **risk: Any) -> list[str]:
    return [failure.code for failure in failures(gate, image_risk(**risk), NOW)]


def test_a_scanned_image_without_findings_passes_the_default_gate() -> None:
    assert codes(Gate()) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RiskState.NOT_SCANNED, "NOT_SCANNED"),
        (RiskState.SCANNING, "NOT_SCANNED"),
        (RiskState.INCOMPLETE, "SCAN_INCOMPLETE"),
        (RiskState.FAILED, "SCAN_FAILED"),
        (RiskState.UNSUPPORTED, "SCAN_UNSUPPORTED"),
    ],
)
def test_no_state_but_scanned_passes_even_the_widest_gate(state: RiskState, code: str) -> None:
    widest = Gate(Severity.CRITICAL, timedelta(days=365), True, Severity.NEGLIGIBLE, True)
    assert codes(widest, state=state) == [code]


def test_the_scanners_reasons_are_told() -> None:
    risk = image_risk(state=RiskState.INCOMPLETE, reasons=("The feed PyPI was never imported.",))
    assert "The feed PyPI was never imported." in failures(Gate(), risk, NOW)[0].sentence


@pytest.mark.parametrize(
    ("gate", "severity", "passes"),
    [
        (Gate(), Severity.CRITICAL, False),
        (Gate(), Severity.HIGH, False),
        (Gate(), Severity.MEDIUM, True),
        (Gate(), Severity.LOW, True),
        (Gate(), Severity.NEGLIGIBLE, True),
        (Gate(), Severity.UNKNOWN, False),
        (Gate(unknown_as=Severity.HIGH), Severity.UNKNOWN, False),
        (Gate(unknown_as=Severity.MEDIUM), Severity.UNKNOWN, True),
        (Gate(max_severity=Severity.CRITICAL), Severity.CRITICAL, True),
        (Gate(max_severity=Severity.CRITICAL), Severity.UNKNOWN, True),
        (Gate(max_severity=Severity.NEGLIGIBLE), Severity.LOW, False),
        (Gate(max_severity=Severity.NEGLIGIBLE), Severity.NEGLIGIBLE, True),
    ],
)
def test_severity_against_the_limit(gate: Gate, severity: Severity, passes: bool) -> None:
    assert codes(gate, counts={severity: 1}) == ([] if passes else ["SEVERITY_EXCEEDED"])


def test_unfixed_findings_count_unless_the_gate_ignores_them() -> None:
    risk = {"counts": {Severity.CRITICAL: 2}, "fixable_counts": {}}
    assert codes(Gate(), **risk) == ["SEVERITY_EXCEEDED"]
    assert codes(Gate(ignore_unfixed=True), **risk) == []
    assert codes(Gate(ignore_unfixed=True), fixable_counts={Severity.CRITICAL: 1}) == ["SEVERITY_EXCEEDED"]


@pytest.mark.parametrize(
    ("age", "passes"),
    [
        (timedelta(0), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_age_of_the_risk(age: timedelta, passes: bool) -> None:
    assert codes(Gate(), as_of=NOW - age) == ([] if passes else ["SCAN_TOO_OLD"])


def test_an_unknown_age_is_too_old() -> None:
    assert codes(Gate(), as_of=None) == ["SCAN_TOO_OLD"]


def test_unreadable_parts() -> None:
    assert codes(Gate(), unreadable=1) == ["SCAN_UNREADABLE"]
    assert codes(Gate(allow_unreadable=True), unreadable=1) == []


def test_every_failure_is_listed_with_its_digest_and_a_sentence() -> None:
    risk = image_risk(unreadable=3, as_of=None, counts={Severity.HIGH: 2, Severity.UNKNOWN: 1})
    found = failures(Gate(), risk, NOW)
    assert [failure.code for failure in found] == ["SCAN_UNREADABLE", "SCAN_TOO_OLD", "SEVERITY_EXCEEDED"]
    assert {failure.digest for failure in found} == {DIGEST}
    assert "2 HIGH, 1 UNKNOWN" in found[2].sentence


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (GateChange(max_severity=Severity.HIGH), "gate.max_severity"),
        (GateChange(max_age=timedelta(hours=25)), "gate.max_age"),
        (GateChange(ignore_unfixed=True), "gate.ignore_unfixed"),
        (GateChange(unknown_as=Severity.HIGH), "gate.unknown_as"),
        (GateChange(allow_unreadable=True), "gate.allow_unreadable"),
    ],
)
def test_a_request_cannot_loosen_the_gate(wanted: GateChange, field: str) -> None:
    with pytest.raises(GateLoosened) as refusal:
        tighten(Gate(), wanted)
    assert refusal.value.field == field


def test_a_request_tightens_what_it_names_and_leaves_the_rest() -> None:
    loose = Gate(Severity.HIGH, timedelta(days=7), True, Severity.LOW, True)
    assert tighten(loose, GateChange(ignore_unfixed=False, unknown_as=Severity.HIGH)) == Gate(
        Severity.HIGH, timedelta(days=7), False, Severity.HIGH, True
    )


severities = st.sampled_from(RANKED)
gates = st.builds(Gate, severities, st.timedeltas(timedelta(0)), st.booleans(), severities, st.booleans())
changes = st.builds(
    GateChange,
    st.none() | severities,
    st.none() | st.timedeltas(timedelta(0)),
    st.none() | st.booleans(),
    st.none() | severities,
    st.none() | st.booleans(),
)
risks = st.builds(
    image_risk,
    as_of=st.none() | st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda age: NOW - age),
    counts=st.dictionaries(st.sampled_from(Severity), st.integers(0, 2)),
    fixable_counts=st.just({}),
    unreadable=st.integers(0, 1),
)


@given(gates, changes, risks)
def test_what_passes_a_tightened_gate_passes_the_keys_own(gate: Gate, wanted: GateChange, risk: Any) -> None:
    try:
        tighter = tighten(gate, wanted)
    except GateLoosened:
        return
    assert tighter == change(gate, wanted)
    if not failures(tighter, risk, NOW):
        assert not failures(gate, risk, NOW)
