"""Merging imported records into those held: by record id, the newer `modified` wins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scanner.advisories.advisory import Advisory


@dataclass(frozen=True, slots=True)
class Known:
    """An advisory that the store holds, by its number there."""

    number: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """What becomes of some records: those to add, those to put in the place of a held one (by number), and how many
    stay out since they are the same as the one held, or older."""

    added: tuple[Advisory, ...]
    replaced: Mapping[int, Advisory]
    unchanged: int
    older: int


def merge(imported: Iterable[Advisory], known: Mapping[str, Known]) -> Merge:
    """Decide what becomes of imported records. Of several with one id, the newest counts, the first of equals."""
    newest: dict[str, Advisory] = {}
    unchanged = older = 0
    for advisory in imported:
        record_id = advisory.names.record_id
        held = newest[record_id].modified if record_id in newest else None
        if held is None and record_id in known:
            held = known[record_id].modified
        if held is None or advisory.modified > held:
            newest[record_id] = advisory
        elif advisory.modified == held:
            unchanged += 1
        else:
            older += 1
    return Merge(
        added=tuple(advisory for record_id, advisory in newest.items() if record_id not in known),
        replaced={known[record_id].number: advisory for record_id, advisory in newest.items() if record_id in known},
        unchanged=unchanged,
        older=older,
    )
