"""Mach-O, the programs and libraries of macOS, also several of them in one file.

Formats: Apple, "Mach-O File Format Reference"; mach-o/loader.h and mach-o/fat.h.
"""

import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from scanner.inventory.programs.layout import LARGEST, Layout, Section, text
from scanner.layers.wishes import Parts

MAGICS = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
FAT = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")

_MOST_PROGRAMS = 40
"""Programs in one file. Classes of Java begin with the same bytes, and then say a version above it."""
_LARGEST_COMMANDS = 2**20
_SEGMENT = {1, 0x19}
_READ_AND_WRITE = 3


@dataclass(frozen=True, slots=True)
class _Form:
    """The structures of programs of one width and byte order."""

    order: str
    is_wide: bool

    @property
    def header(self) -> struct.Struct:
        """Number and size of the commands."""
        return struct.Struct(f"{self.order}16xII{'8x' if self.is_wide else '4x'}")

    @property
    def command(self) -> struct.Struct:
        """Kind and length of a command."""
        return struct.Struct(f"{self.order}II")

    @property
    def segment(self) -> struct.Struct:
        """Address, offset, size, most and first protection, number of sections."""
        word = "Q" if self.is_wide else "I"
        return struct.Struct(f"{self.order}24x{word}{'8x' if self.is_wide else '4x'}{word}{word}III4x")

    @property
    def section(self) -> struct.Struct:
        """Name, address, size, offset."""
        word = "Q" if self.is_wide else "I"
        return struct.Struct(f"{self.order}16s16x{word}{word}I{'28x' if self.is_wide else '16x'}")


@dataclass(frozen=True, slots=True)
class _Slice:
    """A program in a file of several."""

    whole: Parts
    offset: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of this program, fewer where it ends. Raises NoEssence."""
        size = min(size, self.size - offset)
        return self.whole.read(self.offset + offset, size) if size > 0 else b""


def choose(head: bytes, size: int) -> Sequence[range]:
    """Which parts are needed: all of a program; a class of Java is none."""
    if head.startswith(FAT) and int.from_bytes(head[4:8], "big") > _MOST_PROGRAMS:
        return ()
    return [range(min(size, LARGEST))]


def programs(parts: Parts) -> Iterator[Parts]:
    """Each program in a file. Raises NoEssence."""
    magic = parts.read(0, 4)
    if magic not in FAT:
        yield parts
        return
    row = struct.Struct(">8xQQ8x" if magic == FAT[1] else ">8xII4x")
    count = int.from_bytes(parts.read(4, 4), "big")
    if count > _MOST_PROGRAMS:
        return
    table = parts.read(8, row.size * count)
    left = parts.size
    for offset, size in row.iter_unpack(table[: len(table) // row.size * row.size]):
        left -= size
        if left >= 0:
            yield _Slice(parts, offset, size)


def read(parts: Parts, names: Collection[str]) -> Layout | None:
    """How a program is laid out, with those sections that have one of these names; None where it is none.

    Raises NoEssence.
    """
    magic = parts.read(0, 4)
    if magic not in MAGICS:
        return None
    form = _Form(">" if magic in MAGICS[:2] else "<", magic in {MAGICS[1], MAGICS[3]})
    sections: list[Section] = []
    loaded: list[Section] = []
    data: Section | None = None
    for command in _segments(parts, form):
        address, offset, size, most, first, _ = form.segment.unpack_from(command)
        piece = Section("", address, offset, size)
        loaded.append(piece)
        sections += [one for one in _sections(command, form) if one.name in names]
        if data is None and address and size and (most, first) == (_READ_AND_WRITE, _READ_AND_WRITE):
            data = piece
    return Layout(sections, loaded, data)


def _segments(parts: Parts, form: _Form) -> Iterator[bytes]:
    """The commands that load a segment, each with its sections."""
    head = parts.read(0, form.header.size)
    if len(head) < form.header.size:
        return
    count, size = form.header.unpack(head)
    commands = parts.read(form.header.size, min(size, _LARGEST_COMMANDS))
    at = 0
    for _ in range(count):
        kind, length = form.command.unpack_from(commands, at) if at + form.command.size <= len(commands) else (0, 0)
        command = commands[at : at + length]
        if length < form.command.size or len(command) < length:
            return
        if kind in _SEGMENT and length >= form.segment.size:
            yield command
        at += length


def _sections(command: bytes, form: _Form) -> Iterator[Section]:
    table = command[form.segment.size :]
    for name, address, size, offset in form.section.iter_unpack(
        table[: len(table) // form.section.size * form.section.size]
    ):
        if size and offset:
            yield Section(text(name), address, offset, size)
