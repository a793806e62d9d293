"""The gate of an image key: what an image's risk must be before the key signs it. Pure rules, no clock, no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signer.errors import GateLoosened
from signer.risk import RANKED, ImageRisk, RiskState, Severity

MAX_AGE_LIMIT: Final = timedelta(days=365)
_CLOCK_TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits of a key; the defaults are those of a key that is created without any."""

    max_severity: Severity = Severity.MEDIUM
    max_age: timedelta = timedelta(hours=24)
    ignore_unfixed: bool = False
    unknown_as: Severity = Severity.CRITICAL
    allow_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class GateChange:
    """Limits asked for; None leaves what is there."""

    max_severity: Severity | None = None
    max_age: timedelta | None = None
    ignore_unfixed: bool | None = None
    unknown_as: Severity | None = None
    allow_unreadable: bool | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that an image fails: the reason code, the digest and a sentence for a person."""

    code: str
    digest: str
    sentence: str


def change(gate: Gate, wanted: GateChange) -> Gate:
    """Return the gate with every limit that is asked for in place of its own."""
    return Gate(
        max_severity=gate.max_severity if wanted.max_severity is None else wanted.max_severity,
        max_age=gate.max_age if wanted.max_age is None else wanted.max_age,
        ignore_unfixed=gate.ignore_unfixed if wanted.ignore_unfixed is None else wanted.ignore_unfixed,
        unknown_as=gate.unknown_as if wanted.unknown_as is None else wanted.unknown_as,
        allow_unreadable=gate.allow_unreadable if wanted.allow_unreadable is None else wanted.allow_unreadable,
    )


def tighten(gate: Gate, wanted: GateChange) -> Gate:
    """Return the gate narrowed to what is asked for. Raises GateLoosened where a limit asked for is wider."""
    tighter = change(gate, wanted)
    looser = {
        "max_severity": RANKED.index(tighter.max_severity) < RANKED.index(gate.max_severity),
        "max_age": tighter.max_age > gate.max_age,
        "ignore_unfixed": tighter.ignore_unfixed and not gate.ignore_unfixed,
        "unknown_as": RANKED.index(tighter.unknown_as) > RANKED.index(gate.unknown_as),
        "allow_unreadable": tighter.allow_unreadable and not gate.allow_unreadable,
    }
    for name, is_looser in looser.items():
        if is_looser:
            raise GateLoosened(
                f"The request's gate.{name} is looser than the key's; a request may only tighten it. A custodian"
                " changes the key's gate.",
                field=f"gate.{name}",
            )
    return tighter


def failures(gate: Gate, risk: ImageRisk, now: datetime) -> tuple[Failure, ...]:
    """Return every check that the image fails; an image without a failure passes."""
    if risk.state is not RiskState.SCANNED:
        return (_not_scanned(risk),)
    found = (_unreadable(gate, risk), _too_old(gate, risk, now), _too_severe(gate, risk))
    return tuple(failure for failure in found if failure)


_STATES: Final = {
    RiskState.NOT_SCANNED: ("NOT_SCANNED", "was never scanned"),
    RiskState.SCANNING: ("NOT_SCANNED", "is still being scanned"),
    RiskState.INCOMPLETE: ("SCAN_INCOMPLETE", "could not be judged as a whole"),
    RiskState.FAILED: ("SCAN_FAILED", "could not be scanned"),
    RiskState.UNSUPPORTED: ("SCAN_UNSUPPORTED", "is of a kind that the scanner does not know"),
}


def _not_scanned(risk: ImageRisk) -> Failure:
    code, what = _STATES[risk.state]
    reasons = f": {' '.join(risk.reasons)}" if risk.reasons else "."
    return Failure(code, risk.digest, f"It {what}{reasons}")


def _unreadable(gate: Gate, risk: ImageRisk) -> Failure | None:
    if gate.allow_unreadable or not risk.unreadable:
        return None
    return Failure("SCAN_UNREADABLE", risk.digest, f"{risk.unreadable} parts of it could not be read.")


def _too_old(gate: Gate, risk: ImageRisk, now: datetime) -> Failure | None:
    if risk.as_of is None:
        return Failure("SCAN_TOO_OLD", risk.digest, "The age of the advisories that it was compared with is not known.")
    if risk.as_of > now + _CLOCK_TOLERANCE:
        sentence = f"Its risk is of {risk.as_of:%Y-%m-%d %H:%M} UTC, which is in the future: a clock is wrong."
        return Failure("SCAN_TOO_OLD", risk.digest, sentence)
    if now - risk.as_of > gate.max_age:
        sentence = f"Its risk is of {risk.as_of:%Y-%m-%d %H:%M} UTC; the gate asks for one at most {gate.max_age} old."
        return Failure("SCAN_TOO_OLD", risk.digest, sentence)
    return None


def _too_severe(gate: Gate, risk: ImageRisk) -> Failure | None:
    counts = risk.fixable_counts if gate.ignore_unfixed else risk.counts
    over = {severity: count for severity, count in counts.items() if count and _exceeds(gate, severity)}
    if not over:
        return None
    sentence = f"It has open findings: {_listed(over)}; the gate allows {gate.max_severity.value} at worst."
    return Failure("SEVERITY_EXCEEDED", risk.digest, sentence)


def _exceeds(gate: Gate, severity: Severity) -> bool:
    ranked = gate.unknown_as if severity is Severity.UNKNOWN else severity
    return RANKED.index(ranked) < RANKED.index(gate.max_severity)


def _listed(counts: Mapping[Severity, int]) -> str:
    return ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if severity in counts)
