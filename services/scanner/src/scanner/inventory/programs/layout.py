"""How a program lies in its file, whichever form it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scanner.layers.wishes import Parts

HEAD = 4096
"""First bytes of a program that say what of it is needed."""
LARGEST = 256 * 2**20
"""Bytes of one program that are held; of a larger one, less of it is."""


class Section(NamedTuple):
    """A piece of a program: its name, where it is loaded, and where it lies in the file; `size` is its bytes there."""

    name: str
    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces of a program that have names, those that are loaded, and where Go's data may lie without a name."""

    sections: Sequence[Section]
    loaded: Sequence[Section]
    data: Section | None = None

    def section(self, *names: str) -> Section | None:
        """The first piece with one of these names."""
        return next((one for one in self.sections if one.name in names), None)

    def at(self, parts: Parts, address: int, size: int) -> bytes:
        """The bytes loaded at an address, fewer where the piece loaded there ends. Raises NoEssence."""
        for one in self.loaded:
            skipped = address - one.address
            if 0 <= skipped < one.size:
                return parts.read(one.offset + skipped, min(size, one.size - skipped))
        return b""


def text(field: bytes) -> str:
    """A name that ends at a zero byte, or fills its field."""
    return field.partition(b"\0")[0].decode("latin-1")
