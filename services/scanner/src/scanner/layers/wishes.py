"""What is wanted of a file in a layer: its first bytes, or an essence that is made out of it while it streams by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol


class NoEssence(Exception):
    """A file of which nothing can be made out; the text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Essence:
    """What a file tells, in the place of the file: `extract` gets it, from its start, and returns that as bytes.

    `extract` returns None where the file does not matter after all, and raises NoEssence where it matters and can't be
    read. Only files that begin with one of `begins` are looked at, or all where there is none. Of a file with more
    than `largest` bytes nothing is made out.
    """

    extract: Callable[[BinaryIO], bytes | None]
    largest: int
    begins: tuple[bytes, ...] = ()

    @property
    def is_told_by_content(self) -> bool:
        """Whether it is the content, not the path, that says whether a file matters."""
        return bool(self.begins)


class Parts(Protocol):
    """The parts of a file that were asked for."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from an offset of the file on, fewer where it ends. Raises NoEssence where one was not asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Glance:
    """What some parts of a file tell, for large files of which most bytes tell nothing.

    Only files that begin with one of `begins` are looked at. `choose` gets their first `head` bytes and their size, and
    says which parts are needed beside: where it says that none is, the file does not matter. `extract` gets the parts,
    the first bytes with them, and does as that of an Essence.
    """

    begins: tuple[bytes, ...]
    head: int
    choose: Callable[[bytes, int], Sequence[range]]
    extract: Callable[[Parts], bytes | None]

    @property
    def is_told_by_content(self) -> bool:
        """Whether it is the content, not the path, that says whether a file matters."""
        return True


Wish = int | Essence | Glance
"""A number asks for that many of the first bytes."""

Keep = Callable[[str], Wish | None]
"""What is wanted of the file at a path (normalised); None where the file does not matter at all."""
