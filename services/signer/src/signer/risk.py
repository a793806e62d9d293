"""What the signer asks of the scanner: the risk of images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Severity(Enum):
    """How bad a finding is, worst first. UNKNOWN has no rank of its own."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    NEGLIGIBLE = "NEGLIGIBLE"
    UNKNOWN = "UNKNOWN"


RANKED = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.NEGLIGIBLE)


class RiskState(Enum):
    """How far the scanner could look into an image; only SCANNED passes a gate."""

    NOT_SCANNED = "NOT_SCANNED"
    SCANNING = "SCANNING"
    SCANNED = "SCANNED"
    INCOMPLETE = "INCOMPLETE"
    FAILED = "FAILED"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class ImageRisk:
    """The risk of one image in one repository.

    `reasons` says why a state is none of SCANNED, SCANNING and NOT_SCANNED; `as_of` is how old the advisories behind it
    may be, None where some were never imported; `counts` are open findings by severity, `fixable_counts` those of them
    that have a fixed version; `unreadable` counts the parts that could not be read.
    """

    digest: str
    state: RiskState
    reasons: tuple[str, ...]
    scan_id: str
    as_of: datetime | None
    worst: Severity | None
    counts: Mapping[Severity, int]
    fixable_counts: Mapping[Severity, int]
    unreadable: int
    risk_digest: str


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """The part of a risk that is signed with the image and kept: by what the gate was passed."""

    scan_id: str
    as_of: datetime | None
    worst: Severity | None
    counts: Mapping[Severity, int]


def evidence(risk: ImageRisk) -> GateEvidence:
    """Return what is signed of a risk."""
    return GateEvidence(risk.scan_id, risk.as_of, risk.worst, risk.counts)


class Risk(Protocol):
    """Tells the risk of images."""

    async def of(self, repository: str, digests: Sequence[str]) -> tuple[ImageRisk, ...]:
        """Return the risk of each digest in `host/repository`, in their order. Raises RiskUnavailable."""
        ...
