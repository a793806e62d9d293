"""Which layer brought what a database tells of: the first from which on it has told of the same, without a break."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from scanner.inventory.evidence import history
from scanner.layers.tree import Kept

Told = TypeVar("Told")


def first_layer(kept: Kept, read: Callable[[bytes], Iterable[Told]]) -> Iterator[tuple[Told, str]]:
    """What `read` makes of a database, each with its layer's digest."""
    told = list(read(kept.file.body or b""))
    left = set(told)
    layers = dict.fromkeys(left, kept.layer)
    for older in islice(history(kept), 1, None):
        left &= set(read(older.file.body or b""))
        if not left:
            break
        layers |= dict.fromkeys(left, older.layer)
    return ((one, layers[one]) for one in told)
