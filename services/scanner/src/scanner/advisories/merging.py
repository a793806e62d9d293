"""Merging imported records into those held: by record id, the newer `modified` wins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scanner.advisories.sightings import Sighting


@dataclass(frozen=True, slots=True)
class Known:
    """An advisory that the store holds, by its number there."""

    number: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """What becomes of some records: those that bring news, and how many are the same as the one held, or older."""

    news: tuple[Sighting, ...]
    unchanged: int
    older: int


def merge(imported: Iterable[Sighting], known: Mapping[str, Known], now: datetime) -> Merge:
    """Decide what becomes of imported records. Of several with one id, the newest counts, the first of equals.

    A time held that is still to come was taken under a wrong clock, and wins over nothing.
    """
    held = {record_id: one.modified for record_id, one in known.items() if one.modified <= now}
    news: dict[str, Sighting] = {}
    unchanged = older = 0
    for sighting in imported:
        before = held.get(sighting.record_id)
        if before is None or sighting.modified > before:
            news[sighting.record_id] = sighting
            held[sighting.record_id] = sighting.modified
        elif sighting.modified == before:
            unchanged += 1
        else:
            older += 1
    return Merge(tuple(news.values()), unchanged, older)
