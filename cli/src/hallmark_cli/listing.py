"""Lists, fetched page by page up to a bound."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from hallmark_cli.output import note

LARGEST_PAGE = 1000
EVERYTHING = sys.maxsize

Item = TypeVar("Item")
Page = Callable[[int, str], tuple[Sequence[Item], str]]


def collect(page: Page[Item], limit: int) -> list[Item]:
    """The first `limit` items; says on stderr where there are more. `page` takes a size and a token, and gives the
    items with the next token."""
    items: list[Item] = []
    token = ""
    while len(items) < limit:
        fetched, token = page(min(limit - len(items), LARGEST_PAGE), token)
        items += fetched
        if not token:
            return items
    note(f"There are more than these {limit}: --limit N shows more.")
    return items
