"""What is wanted of a file in a layer: its first bytes, or an essence that is made out of it while it streams by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


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


Wish = int | Essence
"""A number asks for that many of the first bytes."""

Keep = Callable[[str], Wish | None]
"""What is wanted of the file at a path (normalised); None where the file does not matter at all."""
