"""Pages that stay below the largest message, whatever their records hold."""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

BUDGET = 3 * 2**20
"""Bytes of the records of one page."""

M = TypeVar("M", bound=Message)


def fitting(records: Iterable[M]) -> list[M]:
    """The first records, as many as fit into a page; one at least. The next page begins after them."""
    taken: list[M] = []
    total = 0
    for record in records:
        total += record.ByteSize()
        if taken and total > BUDGET:
            break
        taken.append(record)
    return taken
