"""What the scanner says of images: the records of WatchImageRisk, indexed by repository and digest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, IntEnum
from typing import TypeAlias


class Severity(IntEnum):
    """How bad a vulnerability is; greater is worse. A finding that nobody rated has none of these."""

    NEGLIGIBLE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


@dataclass(frozen=True, slots=True)
class Counts:
    """Open findings of each severity, and those that nobody rated."""

    rated: Mapping[Severity, int]
    unknown: int

    def above(self, limit: Severity, unknown_as: Severity) -> dict[str, int]:
        """Those worse than the limit, by severity, the worst first; UNKNOWN where it counts as worse."""
        worse = {
            severity.name: self.rated.get(severity, 0)
            for severity in sorted(Severity, reverse=True)
            if severity > limit
        }
        if unknown_as > limit:
            worse["UNKNOWN"] = self.unknown
        return {name: count for name, count in worse.items() if count}


class RiskState(Enum):
    """How far an image could be looked into; only SCANNED may pass a condition."""

    NOT_SCANNED = "NOT_SCANNED"
    SCANNING = "SCANNING"
    SCANNED = "SCANNED"
    INCOMPLETE = "INCOMPLETE"
    FAILED = "FAILED"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class FeedSet:
    """The advisory feeds that some images need. `as_of` is None where one of them was never imported."""

    id: str
    as_of: datetime | None
    too_old: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageRisk:
    """The risk of one digest in one repository (`host/repository`). `reasons` say why the state is not SCANNED."""

    repository: str
    digest: str
    state: RiskState
    reasons: tuple[str, ...]
    unreadable: int
    counts: Counts
    fixable: Counts
    feed_set: str
    as_of: datetime | None = None


RiskRecord: TypeAlias = FeedSet | ImageRisk


class Risks:
    """The risk of every image as of now. Written by the stream's follower alone."""

    def __init__(self, records: Iterable[RiskRecord] = ()) -> None:
        self._images: dict[tuple[str, str], ImageRisk] = {}
        self._feed_sets: dict[str, FeedSet] = {}
        for record in records:
            self.apply(record)

    def apply(self, record: RiskRecord) -> None:
        """Takes in one record; it replaces the one of the same identity."""
        match record:
            case FeedSet():
                self._feed_sets[record.id] = record
            case ImageRisk():
                self._images[record.repository, record.digest] = record

    def of(self, repository: str, digest: str) -> ImageRisk | None:
        """The risk with the freshness of its feeds reckoned in: SCANNED by feeds too old or not known is INCOMPLETE."""
        risk = self._images.get((repository, digest))
        if risk is None or risk.state is not RiskState.SCANNED:
            return risk
        feeds = self._feed_sets.get(risk.feed_set)
        if feeds is None or feeds.as_of is None:
            return replace(
                risk, state=RiskState.INCOMPLETE, reasons=("The freshness of its advisory feeds is not known.",)
            )
        if feeds.too_old:
            return replace(risk, state=RiskState.INCOMPLETE, reasons=feeds.reasons, as_of=feeds.as_of)
        return replace(risk, as_of=feeds.as_of)
