"""Findings and vulnerabilities as they are asked for and shown."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from scanner.advisories.vulnerability import Vulnerability
from scanner.inventory.model import LayerOrigin, Package
from scanner.matching import Facts
from scanner.severity import Severity


class FindingState(Enum):
    """Whether a finding counts."""

    OPEN = "OPEN"
    NOT_AFFECTED = "NOT_AFFECTED"


class FixState(Enum):
    """Whether there is a version without the vulnerability."""

    FIXED_IN = "FIXED_IN"
    NOT_FIXED = "NOT_FIXED"


class FindingCursor(NamedTuple):
    """The place of a finding in the order of lists: the worst first."""

    severity: int
    vulnerability: str
    image: int
    position: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in a manifest, as the store holds it; `closed_at` is None while it is open.

    `origin` is where the layer comes from that brought the package.
    """

    cursor: FindingCursor
    digest: str
    platform: str
    package: Package
    vulnerability: str
    facts: Facts
    first_detected: datetime
    closed_at: datetime | None
    scanned_at: datetime
    origin: LayerOrigin


@dataclass(frozen=True, slots=True)
class Finding:
    """A vulnerability in a package of an image, as it is shown."""

    cursor: FindingCursor
    repository: str
    digest: str
    platform: str
    package: Package
    vulnerability: Vulnerability
    facts: Facts
    state: FindingState
    first_detected: datetime
    last_detected: datetime
    origin: LayerOrigin

    @property
    def fix_state(self) -> FixState:
        """Whether it can be repaired."""
        return FixState.FIXED_IN if self.facts.fixed_versions else FixState.NOT_FIXED


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings; every condition that is given must hold."""

    vulnerabilities: frozenset[str] | None = None
    package: str = ""
    severities: frozenset[Severity] = frozenset()
    fix_state: FixState | None = None
    states: frozenset[FindingState] = frozenset({FindingState.OPEN})


class VulnerabilityCursor(NamedTuple):
    """The place of a vulnerability in the order of lists: the worst first."""

    severity: int
    vulnerability: str


@dataclass(frozen=True, slots=True)
class VulnerabilityFilter:
    """Which vulnerabilities; every condition that is given must hold for one open finding."""

    repositories: frozenset[str] | None = None
    package: str = ""
    severities: frozenset[Severity] = frozenset()


@dataclass(frozen=True, slots=True)
class Exposure:
    """A vulnerability, its severity, and in how many images there is an open finding of it."""

    vulnerability: Vulnerability
    severity: Severity
    images: int
