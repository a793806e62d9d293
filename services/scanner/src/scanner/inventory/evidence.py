"""From a kept file to the packages that it tells of, each with the layer that brought it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from scanner.ecosystems import coordinates_of
from scanner.failures import LimitExceeded
from scanner.inventory.analyzer import Found
from scanner.inventory.model import Evidence, Package, Unreadable
from scanner.inventory.purls import purl_of
from scanner.layers.paths import printable
from scanner.layers.tree import Kept

Identity = tuple[str, str]
"""Name and version of a package."""
Reader = Callable[[bytes], Identity | str | None]
"""Reads a file that tells of one package: None where it tells of none, a sentence where it can't be read."""

MOST_PACKAGES = 200_000
"""Packages, and parts that can't be read, of one image; records of one database."""

_OF_INSTALLED = {Evidence.METADATA, Evidence.BINARY}

T = TypeVar("T")


def demand_few(told: Iterable[T]) -> Iterator[T]:
    """What is told of packages, one after another. Raises LimitExceeded where it is more than an image may hold."""
    for number, one in enumerate(told):
        if number == MOST_PACKAGES:
            raise LimitExceeded(f"The image tells of more than {MOST_PACKAGES} packages, the bound `packages`.")
        yield one


def without_superfluous(found: Sequence[Found]) -> list[Found]:
    """What was found, without those entries of lock files whose packages, in the same version, are there.

    A package that the distribution owns may be left to its advisories: it stands for no entry of a file of others.
    """
    packages = [one for one in found if isinstance(one, Package)]
    locked = [one for one in packages if one.evidence is Evidence.LOCK_FILE]
    if not locked:
        return list(found)
    there = {(coordinates_of(one), one.owner) for one in packages if one.evidence in _OF_INSTALLED}
    superfluous = {one for one in locked if not there.isdisjoint((coordinates_of(one), by) for by in ("", one.owner))}
    return [one for one in found if one not in superfluous]


def unreadable(path: str, kept: Kept, problem: str) -> Unreadable:
    """A part of the image that could not be read, and why in a sentence."""
    return Unreadable(kept.layer, printable(path), problem)


def history(kept: Kept) -> Iterator[Kept]:
    """The file in the layer that brought it last, then what stood in its place before."""
    link: Kept | None = kept
    while link:
        yield link
        link = link.beneath


def each_package(files: Iterable[tuple[str, Kept]], read: Reader, ecosystem: str) -> Iterator[Found]:
    """The packages of an ecosystem whose files tell of one package each."""
    for path, kept in files:
        told = _told(kept, read)
        if isinstance(told, str):
            yield unreadable(path, kept, told)
        elif told:
            name, version = told
            layer = _first_layer(kept, told, read)
            purl = purl_of(ecosystem, name, version)
            yield Package(ecosystem, name, version, "", "", "", purl, layer, printable(path))


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
