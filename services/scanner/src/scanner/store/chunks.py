"""Long lists in pieces that fit into one statement."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

CHUNK = 1000
"""Values in one statement: below what SQLite (32,766) and PostgreSQL (65,535) bind."""


def chunked(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, a chunk at a time."""
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
