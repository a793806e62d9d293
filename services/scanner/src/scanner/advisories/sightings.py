"""Records of an archive at first sight: as much as tells whether they bring anything new."""

from dataclasses import dataclass
from datetime import UTC, datetime

from scanner.advisories import osv
from scanner.ecosystems import feed_of


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record, by its name in the archive, not read yet. `feeds` are the ecosystems that it speaks of."""

    name: str
    record_id: str
    modified: datetime
    feeds: frozenset[str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that can't be used: its name in the archive, and what is wrong with it."""

    name: str
    problem: str


def sight(name: str, body: bytes, now: datetime) -> Sighting | Skipped:
    """Look at a record.

    A `modified` after `now` counts as `now`, else a wrong one would win over each correction until its time has come.
    """
    try:
        glance = osv.glance(body)
    except osv.MalformedRecord as problem:
        return Skipped(name, str(problem))
    packages = (entry.package for entry in glance.affected or ())
    return Sighting(
        name=name,
        record_id=glance.id,
        modified=min(glance.modified.astimezone(UTC), now),
        feeds=frozenset(feed_of(package.ecosystem) for package in packages if package),
        body=body,
    )
