"""What is kept of scans: the row is the truth, whatever process works on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from scanner.risk.model import Counts, RiskState

LONGEST_PAUSE = timedelta(minutes=10)
"""The longest time between two attempts; a next attempt further ahead tells that the clock was put back."""


class Trigger(Enum):
    """What made a scan begin."""

    PUSH = "PUSH"
    EXISTING = "EXISTING"
    MANUAL = "MANUAL"

    @property
    def priority(self) -> int:
        """Whose turn comes first: the lowest."""
        return (Trigger.MANUAL, Trigger.PUSH, Trigger.EXISTING).index(self)


class ScanState(Enum):
    """How far a scan is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self in {ScanState.SUCCEEDED, ScanState.FAILED}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scan failed: the reason of scanner.failures, and a sentence or two."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ScannedPlatform:
    """A platform manifest that was read; `packages` counts them by feed."""

    platform: str
    digest: str
    packages: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a scan found, as it was when it ended. `size` is bytes of layers as stored, each counted once."""

    platforms: tuple[ScannedPlatform, ...]
    left_out: tuple[str, ...]
    size: int
    reading: timedelta
    matching: timedelta
    advisory_revision: int
    risk_state: RiskState
    counts: Counts


@dataclass(frozen=True, slots=True)
class Request:
    """A scan that is asked for.

    `repository` is `host/repository`, `digest` that of a manifest or index, `tag` the one it was announced or asked for
    by, `platforms` those read of an index, all where there are none; `target` is a target's name. Empty: none.
    """

    repository: str
    digest: str
    trigger: Trigger
    tag: str = ""
    target: str = ""
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan. `number` grows from scan to scan; `not_before` is when the next attempt may begin.

    `priority` is that of the trigger which gives it the earliest turn.
    """

    number: int
    scan_id: str
    request: Request
    state: ScanState
    priority: int
    attempts: int
    created: datetime
    not_before: datetime
    started: datetime | None = None
    ended: datetime | None = None
    failure: Failure | None = None
    summary: Summary | None = None
    analyzers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which scans; every condition that is given must hold. `repositories`: one of these."""

    repositories: frozenset[str] | None = None
    digest: str = ""
    target: str = ""
    states: frozenset[ScanState] = frozenset()
    triggers: frozenset[Trigger] = frozenset()
