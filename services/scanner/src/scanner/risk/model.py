"""The words in which an image's risk is told."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from scanner.severity import Severity


class RiskState(Enum):
    """How far an image could be looked into."""

    NOT_SCANNED = "NOT_SCANNED"
    SCANNING = "SCANNING"
    SCANNED = "SCANNED"
    INCOMPLETE = "INCOMPLETE"
    FAILED = "FAILED"
    UNSUPPORTED = "UNSUPPORTED"


class RiskCause(Enum):
    """What made a risk change."""

    SCAN = "SCAN"
    IMPORT = "IMPORT"
    CLAIM = "CLAIM"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings there are of each severity, in the order of Severity."""

    by_severity: tuple[int, ...] = (0,) * len(Severity)

    @classmethod
    def of(cls, severities: Iterable[Severity]) -> "Counts":
        """Count them."""
        counted = [0] * len(Severity)
        for severity in severities:
            counted[severity - 1] += 1
        return cls(tuple(counted))

    @property
    def worst(self) -> Severity | None:
        """The worst severity of which there are any; UNKNOWN only where none has a rank."""
        return next((severity for severity in Severity if self.by_severity[severity - 1]), None)

    def largest(self, other: "Counts") -> "Counts":
        """Of each severity the larger count."""
        return Counts(tuple(map(max, self.by_severity, other.by_severity)))


@dataclass(frozen=True, slots=True)
class PlatformRisk:
    """A platform of an index; `digest` is its manifest's."""

    platform: str
    digest: str
    state: RiskState
    worst: Severity | None
    feed_set: str


@dataclass(frozen=True, slots=True)
class ImageRisk:
    """The risk of one image in one repository, as it is kept: without what the age of its feeds adds.

    `repository` is `host/repository`. `feed_set` and `risk_digest` are empty where there is no inventory. `revision` is
    the position of the stream at which it last changed.
    """

    repository: str
    digest: str
    state: RiskState = RiskState.NOT_SCANNED
    reasons: tuple[str, ...] = ()
    unreadable: int = 0
    counts: Counts = Counts()
    fixable_counts: Counts = Counts()
    risk_digest: str = ""
    feed_set: str = ""
    scan_id: str = ""
    platforms: tuple[PlatformRisk, ...] = ()
    revision: int = 0

    @property
    def level(self) -> tuple[RiskState, Counts]:
        """What the history of its risk keeps."""
        return self.state, self.counts

    def differs_from(self, other: "ImageRisk") -> bool:
        """Whether readers must be told: whether anything but the revision differs."""
        return replace(self, revision=0) != replace(other, revision=0)


@dataclass(frozen=True, slots=True)
class FeedSet:
    """The feeds that some images need, and how fresh they are together; `reasons` says which are too old."""

    name: str
    ecosystems: tuple[str, ...]
    as_of: datetime | None
    reasons: tuple[str, ...]
    revision: int = 0

    @property
    def too_old(self) -> bool:
        """Whether a feed in it is too old, or was never imported."""
        return bool(self.reasons)

    def differs_from(self, other: "FeedSet") -> bool:
        """Whether readers must be told: whether anything but the revision differs."""
        return replace(self, revision=0) != replace(other, revision=0)


@dataclass(frozen=True, slots=True)
class RiskChange:
    """One change of an image's risk level."""

    time: datetime
    cause: RiskCause
    cause_id: str
    state: RiskState
    counts: Counts
