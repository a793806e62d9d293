"""An advisory as the scanner keeps it: the part that packages are matched with, and the record as it was published."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from scanner import versions
from scanner.advisories import osv
from scanner.advisories.naming import Names
from scanner.advisories.ranges import Interval, intervals_of
from scanner.advisories.rating import severity_of
from scanner.advisories.sightings import Sighting, Skipped
from scanner.ecosystems import normalise_name
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading some records gave."""

    advisories: tuple[Advisory, ...]
    skipped: tuple[Skipped, ...]


def read_advisories(sightings: Iterable[Sighting], now: datetime) -> Reading:
    """Reads records; those that can't be used are named."""
    advisories, skipped = [], []
    for sighting in sightings:
        try:
            advisories.append(_read(sighting, now))
        except osv.MalformedRecord as problem:
            skipped.append(Skipped(sighting.name, str(problem)))
    return Reading(tuple(advisories), tuple(skipped))


def _read(sighting: Sighting, now: datetime) -> Advisory:
    record = osv.decode(sighting.body)
    # A withdrawal that lies in the future is not yet one.
    is_withdrawn = record.withdrawn is not None and record.withdrawn <= now
    return Advisory(
        names=Names(record.id, record.all_aliases, record.all_upstream),
        modified=sighting.modified,
        published=_utc(record.published),
        is_withdrawn=is_withdrawn,
        severity=worst(severity_of(record, entry) for entry in record.affected or ()) or Severity.UNKNOWN,
        affected=() if is_withdrawn else _affected(record),
        feeds=sighting.feeds,
        unknown=frozenset(feed for feed in sighting.feeds if not versions.is_known(feed)),
        body=sighting.body,
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
    try:
        return time.astimezone(UTC) if time else None
    except OverflowError as problem:
        raise osv.MalformedRecord("It was published before the year 1.") from problem
