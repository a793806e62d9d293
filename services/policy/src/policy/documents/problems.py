"""What can be wrong with a policy: each problem with the field that is at fault."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from chassis.errors import Violation

CLUSTER: Final = re.compile(r"[A-Za-z0-9._-]{1,63}", re.ASCII)
"""The name of a cluster is the last segment of its adapter's SPIFFE id."""


def count(field: str, found: Sequence[object], most: int, *, least: int = 0) -> Iterator[Violation]:
    """A problem where there are too few or too many."""
    if not least <= len(found) <= most:
        allowed = f"at most {most}" if not least else f"{least} to {most}"
        yield Violation(field, f"There are {len(found)}; {allowed} may be.")


def repeated(fields: Sequence[tuple[str, object]], what: str) -> Iterator[Violation]:
    """A problem for each field with the same value as a field before it."""
    first: dict[object, str] = {}
    for field, value in fields:
        if value in first:
            yield Violation(field, f"{what} stands in {first[value]} already.")
        else:
            first[value] = field


def age(field: str, value: timedelta | None, most: timedelta) -> Iterator[Violation]:
    """A problem where a maximum age is none."""
    if value is not None and not timedelta() < value <= most:
        yield Violation(field, f"An age is more than zero and at most {most.days} days.")
