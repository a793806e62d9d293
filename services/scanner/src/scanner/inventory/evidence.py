"""From a kept file to the packages that it tells of, each with the layer that brought it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from scanner.failures import LimitExceeded
from scanner.inventory.analyzer import Found
from scanner.inventory.model import Package, Unreadable
from scanner.layers.paths import printable
from scanner.layers.tree import Kept

Identity = tuple[str, str]
"""Name and version of a package."""
Reader = Callable[[bytes], Identity | str | None]
"""Reads a file that tells of one package: None where it tells of none, a sentence where it can't be read."""

MOST_PACKAGES = 200_000
"""Packages, and parts that can't be read, of one image; records of one database."""

T = TypeVar("T")


def demand_few(told: Iterable[T]) -> Iterator[T]:
    """What is told of packages, one after another. Raises LimitExceeded where it is more than an image may hold."""
    for number, one in enumerate(told):
        if number == MOST_PACKAGES:
            raise LimitExceeded(f"The image tells of more than {MOST_PACKAGES} packages, the bound `packages`.")
        yield one


def unreadable(path: str, kept: Kept, problem: str) -> Unreadable:
    """A part of the image that could not be read, and why in a sentence."""
    return Unreadable(kept.layer, printable(path), problem)


def history(kept: Kept) -> Iterator[Kept]:
    """The file in the layer that brought it last, then what stood in its place before."""
    link: Kept | None = kept
    while link:
        yield link
        link = link.beneath


def each_package(
    files: Iterable[tuple[str, Kept]], read: Reader, ecosystem: str, purl: Callable[[str, str], str]
) -> Iterator[Found]:
    """The packages of an ecosystem whose files tell of one package each."""
    for path, kept in files:
        told = _told(kept, read)
        if isinstance(told, str):
            yield unreadable(path, kept, told)
        elif told:
            name, version = told
            layer = _first_layer(kept, told, read)
            yield Package(ecosystem, name, version, "", "", "", purl(name, version), layer, printable(path))


def _told(kept: Kept, read: Reader) -> Identity | str | None:
    return kept.file.problem if kept.file.body is None else read(kept.file.body)


def _first_layer(kept: Kept, told: Identity, read: Reader) -> str:
    """The layer from which on the file has told of that same version."""
    layer = kept.layer
    for older in history(kept):
        if older is not kept and _told(older, read) != told:
            break
        layer = older.layer
    return layer
