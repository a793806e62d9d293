"""Whether an image's risk is what a rule's scan condition demands."""

from collections.abc import Iterator
from datetime import datetime

from verifier.evaluation.subject import TOLERANCE
from verifier.reasons import Code, Reason
from verifier.risk import ImageRisk, RiskState
from verifier.rules.policy import ScanCondition

_STATES = {
    RiskState.NOT_SCANNED: (Code.NOT_SCANNED, "The image was never scanned"),
    RiskState.SCANNING: (Code.NOT_SCANNED, "The image's first scan has not ended"),
    RiskState.FAILED: (Code.SCAN_FAILED, "The image's scan failed"),
    RiskState.UNSUPPORTED: (Code.SCAN_UNSUPPORTED, "The scanner cannot judge this kind of image"),
    RiskState.INCOMPLETE: (Code.SCAN_INCOMPLETE, "The image could not be looked into completely"),
}


def unmet_scan(condition: ScanCondition, risk: ImageRisk | None, now: datetime) -> tuple[Reason, ...]:
    """Why the risk is not what the condition demands; empty where it is. No risk means: never scanned."""
    state = risk.state if risk else RiskState.NOT_SCANNED
    if risk is None or state is not RiskState.SCANNED:
        code, sentence = _STATES[state]
        details = f": {' '.join(risk.reasons[:3])[:600]}" if risk and risk.reasons else "."
        return (Reason(code, sentence + details),)
    return tuple(_against(condition, risk, now))


def _against(condition: ScanCondition, risk: ImageRisk, now: datetime) -> Iterator[Reason]:
    if risk.unreadable and not condition.allow_unreadable:
        yield Reason(Code.SCAN_UNREADABLE, f"The scanner could not read {risk.unreadable} parts of the image.")
    yield from _against_age(condition, risk, now)
    if condition.max_severity is None:
        return
    counts = risk.fixable if condition.ignore_unfixed else risk.counts
    worse = counts.above(condition.max_severity, condition.unknown_as)
    if worse:
        kind = "open findings with a fix" if condition.ignore_unfixed else "open findings"
        listed = ", ".join(f"{count} {name}" for name, count in worse.items())
        yield Reason(
            Code.SEVERITY_EXCEEDED,
            f"The image has {kind} worse than {condition.max_severity.name}: {listed}.",
            {name.lower(): str(count) for name, count in worse.items()},
        )


def _against_age(condition: ScanCondition, risk: ImageRisk, now: datetime) -> Iterator[Reason]:
    if risk.as_of is None:
        yield Reason(Code.SCAN_TOO_OLD, "It is not known how old the image's risk is.")
    elif risk.as_of > now + TOLERANCE:
        yield Reason(Code.SCAN_TOO_OLD, f"The image's risk is said to be of the future, {risk.as_of.isoformat()}.")
    elif now - risk.as_of > condition.max_age:
        yield Reason(
            Code.SCAN_TOO_OLD,
            f"The image's risk is of {risk.as_of.isoformat()}, older than {condition.max_age}.",
            {"as_of": risk.as_of.isoformat()},
        )
