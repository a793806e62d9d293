"""PE, the programs and libraries of Windows.

Format: Microsoft, "PE Format".
"""

import struct
from collections.abc import Collection, Iterator, Sequence

from scanner.inventory.programs.layout import HEAD, LARGEST, Layout, Section, text
from scanner.layers.wishes import Parts

MAGIC = b"MZ"

_SIGNATURE = b"PE\0\0"
_FILE_HEADER = struct.Struct("<2xH12xH2x")
_SECTION = struct.Struct("<8s4xIII12xI")
_WIDE = 0x20B
_ALIGNMENT = 0x00F00000
_DATA = 0xC0000040
"""Initialised data that is read and written."""


def choose(head: bytes, size: int) -> Sequence[range]:
    """Which parts are needed: all where there is data that is written, as in what compilers of machine code make."""
    sections = list(_sections(head))
    if not any(_is_data(flags) for _, flags in sections):
        return ()
    return [range(min(size, LARGEST))]


def read(parts: Parts, names: Collection[str]) -> Layout | None:
    """How a program is laid out, with those sections that have one of these names; None where it is none.

    Raises NoEssence.
    """
    sections = list(_sections(parts.read(0, HEAD)))
    loaded = [section for section, _ in sections]
    data = next((section for section, flags in sections if _is_data(flags)), None)
    return Layout([one for one in loaded if one.name in names], loaded, data) if loaded else None


def _is_data(flags: int) -> bool:
    return flags & ~_ALIGNMENT == _DATA


def _sections(head: bytes) -> Iterator[tuple[Section, int]]:
    """Those that have bytes in the file, each with its flags."""
    at = int.from_bytes(head[0x3C:0x40], "little")
    if head[at : at + 4] != _SIGNATURE or len(head) < at + 64:
        return
    rows, optional = _FILE_HEADER.unpack_from(head, at + 4)
    first = at + 24
    is_wide = int.from_bytes(head[first : first + 2], "little") == _WIDE
    base = head[first + 24 : first + 32] if is_wide else head[first + 28 : first + 32]
    table = head[first + optional :][: rows * _SECTION.size]
    for name, address, size, offset, flags in _SECTION.iter_unpack(
        table[: len(table) // _SECTION.size * _SECTION.size]
    ):
        if size and offset:
            yield Section(text(name), int.from_bytes(base, "little") + address, offset, size), flags
