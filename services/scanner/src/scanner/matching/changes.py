"""How findings change when what is known changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.matching.facts import Facts, FindingKey


@dataclass(frozen=True, slots=True)
class Held:
    """A finding as the store holds it, by its number there."""

    number: int
    facts: Facts
    is_open: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write: findings that are new, and held ones, by number, that open again, change or close."""

    opened: Mapping[FindingKey, Facts]
    reopened: Mapping[int, Facts]
    updated: Mapping[int, Facts]
    closed: tuple[int, ...]
    package_versions: frozenset[int]
    """Those of which a finding changes."""


def changes_between(held: Mapping[FindingKey, Held], wanted: Mapping[FindingKey, Facts]) -> Changes:
    """What turns the findings held into those wanted; nothing where they agree."""
    opened = {key: facts for key, facts in wanted.items() if key not in held}
    again = {key: facts for key, facts in wanted.items() if key in held and not held[key].is_open}
    other = {key: facts for key, facts in wanted.items() if key in held and held[key].is_open}
    updated = {key: facts for key, facts in other.items() if held[key].facts != facts}
    closed = [key for key, finding in held.items() if finding.is_open and key not in wanted]
    return Changes(
        opened=opened,
        reopened={held[key].number: facts for key, facts in again.items()},
        updated={held[key].number: facts for key, facts in updated.items()},
        closed=tuple(held[key].number for key in closed),
        package_versions=frozenset(key.package_version for key in (*opened, *again, *updated, *closed)),
    )
