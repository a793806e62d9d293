"""An advisory as the scanner keeps it: the part that packages are matched with, and the record as it was published."""

from dataclasses import dataclass
from datetime import UTC, datetime

from scanner import versions
from scanner.advisories import osv
from scanner.advisories.naming import Names
from scanner.advisories.ranges import Interval, intervals_of
from scanner.advisories.rating import severity_of
from scanner.ecosystems import feed_of, normalise_name
from scanner.severity import Severity, worst


@dataclass(frozen=True, slots=True)
class AffectedPackage:
    """A package that an advisory speaks of, by OSV's ecosystem and the name as it is compared."""

    ecosystem: str
    name: str
    severity: Severity
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Advisory:
    """An advisory. A withdrawn one affects nothing.

    `feeds` are the ecosystems that it speaks of, without their releases; `unknown` those of them whose versions can't
    be compared. `severity` is its worst. Times are UTC; `body` is the record as it was read.
    """

    names: Names
    modified: datetime
    published: datetime | None
    is_withdrawn: bool
    severity: Severity
    affected: tuple[AffectedPackage, ...]
    feeds: frozenset[str]
    unknown: frozenset[str]
    body: bytes


def read_advisory(body: bytes, now: datetime) -> Advisory:
    """Reads an OSV record. Raises osv.MalformedRecord.

    A withdrawal that lies after `now` is not yet one. A `modified` after `now` counts as `now`, else a wrong one would
    win over each correction until its time has come.
    """
    record = osv.decode(body)
    is_withdrawn = record.withdrawn is not None and record.withdrawn <= now
    named = [(entry.package, entry) for entry in record.affected or () if entry.package]
    feeds = frozenset(feed_of(package.ecosystem) for package, _ in named)
    return Advisory(
        names=Names(record.id, record.all_aliases, record.all_upstream),
        modified=min(record.modified.astimezone(UTC), now),
        published=_utc(record.published),
        is_withdrawn=is_withdrawn,
        severity=worst(severity_of(record, entry) for entry in record.affected or ()) or Severity.UNKNOWN,
        affected=() if is_withdrawn else _affected(record),
        feeds=feeds,
        unknown=frozenset(feed for feed in feeds if not versions.is_known(feed)),
        body=body,
    )


def _affected(record: osv.Record) -> tuple[AffectedPackage, ...]:
    return tuple(
        AffectedPackage(
            entry.package.ecosystem,
            normalise_name(entry.package.ecosystem, entry.package.name),
            severity_of(record, entry),
            intervals_of(entry.package.ecosystem, entry),
        )
        for entry in record.affected or ()
        if entry.package and versions.is_known(entry.package.ecosystem)
    )


def _utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC) if time else None
