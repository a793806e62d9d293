"""Which versions an advisory affects, as intervals of version keys.

The rules are those of https://ossf.github.io/osv-schema/#evaluation: a version is affected if it is listed, or if the
last event at or before it, in version order, is `introduced`, and it comes before some `limit` where there is one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from scanner import versions
from scanner.advisories.osv import Affected, Event, Range

_FIRST = b""
"""Before every version: the key of `introduced: "0"`."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Versions from the key `low` on, up to but not including the key `high` (None: no end).

    `fixed` is the version that ends it, where the source names one. Not `comparable`: a bound was no version of its
    ecosystem, and the interval is as wide as it could then be.
    """

    low: bytes
    high: bytes | None
    fixed: str | None = None
    comparable: bool = True

    def holds(self, key: bytes) -> bool:
        """Whether a version is in it, by its key."""
        return self.low <= key and (self.high is None or key < self.high)


NOTHING = Interval(_FIRST, _FIRST)
"""Holds no version: stands for a package of which no affected version can be compared."""


@dataclass(frozen=True, slots=True)
class _Point:
    """Where, in version order, an event stands."""

    key: bytes
    affected: bool
    fixed: str | None = None


def intervals_of(ecosystem: str, affected: Affected) -> tuple[Interval, ...]:
    """The affected versions of one package, at least one interval. Raises versions.UnknownEcosystem.

    Ranges of commits say nothing about versions and are left out.
    """
    ranges = [found for found in affected.ranges or () if found.type != "GIT"]
    found = [interval for one in ranges for interval in _intervals_of_range(ecosystem, one)]
    found += [Interval(key, _after(key)) for key in _listed(ecosystem, affected.versions or (), found)]
    return tuple(found) or (NOTHING,)


def _listed(ecosystem: str, listed: Iterable[str], found: list[Interval]) -> list[bytes]:
    keys = {key for version in listed if (key := _key(ecosystem, version)) is not None}
    return sorted(key for key in keys if not any(interval.holds(key) for interval in found))


def _intervals_of_range(ecosystem: str, one: Range) -> Iterator[Interval]:
    limit, limit_known = _limit(ecosystem, one.events)
    points, points_known = _points(ecosystem, one.events)
    comparable = limit_known and points_known
    begun: bytes | None = None
    for point in points:
        if point.affected and begun is None:
            begun = point.key
        elif not point.affected and begun is not None:
            yield from _clipped(Interval(begun, point.key, point.fixed, comparable), limit)
            begun = None
    if begun is not None:
        yield from _clipped(Interval(begun, None, None, comparable), limit)


def _clipped(interval: Interval, limit: bytes | None) -> Iterator[Interval]:
    if limit is not None and (interval.high is None or limit < interval.high):
        interval = Interval(interval.low, limit, None, interval.comparable)
    if interval.high is None or interval.low < interval.high:
        yield interval


def _points(ecosystem: str, events: tuple[Event, ...]) -> tuple[list[_Point], bool]:
    """The events in version order (those of one version as they are listed), and whether each could be placed."""
    points: list[_Point] = []
    known = True
    for event in events:
        text = event.introduced or event.fixed or event.last_affected
        if text is None:
            continue
        key = _FIRST if event.introduced == "0" else _key(ecosystem, text)
        if key is None:
            known = False
            key = _FIRST if event.introduced else None
        if key is not None:
            points.append(_point(event, key))
    return sorted(points, key=lambda point: point.key), known


def _point(event: Event, key: bytes) -> _Point:
    if event.introduced:
        return _Point(key, affected=True)
    return _Point(key, affected=False, fixed=event.fixed) if event.fixed else _Point(_after(key), affected=False)


def _limit(ecosystem: str, events: tuple[Event, ...]) -> tuple[bytes | None, bool]:
    """The key before which a version must come (None: no limit), and whether every limit could be read."""
    limits = [event.limit for event in events if event.limit]
    keys = [_key(ecosystem, limit) for limit in limits if limit != "*"]
    known = [key for key in keys if key is not None]
    unlimited = not limits or "*" in limits or len(known) < len(keys)
    return (None if unlimited else max(known)), len(known) == len(keys)


def _after(key: bytes) -> bytes:
    """The least key after `key`."""
    return key + b"\x00"


@lru_cache(maxsize=2**16)
def _key(ecosystem: str, version: str) -> bytes | None:
    """A version's key, None for what is none; remembered, since advisories of one package list the same versions."""
    try:
        return versions.key(ecosystem, version)
    except versions.InvalidVersion:
        return None
