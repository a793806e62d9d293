"""ELF, the programs and libraries of Linux.

Format: System V ABI, "Object Files" and "Program Loading".
"""

from collections.abc import Collection, Sequence
from struct import Struct
from typing import NamedTuple

from scanner.inventory.programs.layout import LARGEST, Layout, Section, text
from scanner.layers.wishes import Parts

MAGIC = b"\x7fELF"

_HEAD = 64
_WIDE, _BIG = 2, 2
_KINDS = {2, 3}
"""Programs and libraries, rather than objects, kernel modules and dumps."""
_LOADED, _EXECUTABLE, _WRITABLE = 1, 1, 2
_NO_BITS = 8
_GO_NOTE = b"Go\0\0"
_NEAR = 2**20
"""Bytes before the table of sections in which linkers put the names of these; the most that are read of them."""
_LONGEST_NAME = 64


class _Form(NamedTuple):
    """The structures of files of one width and byte order: the header from its 16th byte on, a row of each table."""

    header: Struct
    segment: Struct
    section: Struct
    segment_columns: tuple[int, int, int, int]
    """Which of its columns are flags, offset, address and size in the file."""


def _form(order: str, *, is_wide: bool) -> _Form:
    if is_wide:
        return _Form(
            Struct(f"{order}HHIQQQIHHHHHH"), Struct(f"{order}IIQQQQQQ"), Struct(f"{order}IIQQQQIIQQ"), (1, 2, 3, 5)
        )
    return _Form(
        Struct(f"{order}HHIIIIIHHHHHH"), Struct(f"{order}IIIIIIII"), Struct(f"{order}IIIIIIIIII"), (6, 1, 2, 4)
    )


_FORMS = {
    (width, byte): _form(">" if byte == _BIG else "<", is_wide=width == _WIDE) for width in (1, 2) for byte in (1, 2)
}


class _Table(NamedTuple):
    """A table in the file: its offset, and how many rows it has of one form."""

    offset: int
    row: Struct
    rows: int

    @property
    def size(self) -> int:
        return self.row.size * self.rows


class _Header(NamedTuple):
    """The first bytes of a file: its tables, and which section holds the names of all."""

    form: _Form
    segments: _Table
    sections: _Table
    names: int


class _Segment(NamedTuple):
    """What is loaded, and how."""

    flags: int
    piece: Section

    @property
    def has_code(self) -> bool:
        return bool(self.flags & _EXECUTABLE)

    @property
    def is_data(self) -> bool:
        return self.flags & (_WRITABLE | _EXECUTABLE) == _WRITABLE

    def within(self, size: int) -> range:
        """Where it lies in a file of so many bytes."""
        return range(min(self.piece.offset, size), min(self.piece.offset + self.piece.size, size))


def choose(head: bytes, size: int) -> Sequence[range]:
    """Which parts are needed: all where code and data are not apart, else all but code."""
    header = _header(head)
    if header is None:
        return ()
    at = header.segments.offset
    segments = _segments(header, head[at : at + header.segments.size])
    apart = not any(one.has_code and one.piece.offset == 0 for one in segments) or _GO_NOTE in head
    needed = [one.within(size) for one in segments if not (apart and one.has_code)]
    unloaded = range(max((one.within(size).stop for one in segments), default=0), size)
    begin, end = header.sections.offset, min(header.sections.offset + header.sections.size, size)
    if size <= LARGEST:
        return [*needed, unloaded, range(begin, end)]
    tail = range(max(0, begin - _NEAR), end)
    written = [one.within(size) for one in segments if one.is_data]
    for chosen in ([*needed, unloaded], [*needed, tail], [*written, tail]):
        if sum(map(len, chosen)) <= LARGEST:
            return [*chosen, tail]
    return [tail]


def read(parts: Parts, names: Collection[str]) -> Layout | None:
    """How a program is laid out, if one of its sections has one of these names or none has a name; else None.

    Raises NoEssence.
    """
    header = _header(parts.read(0, _HEAD))
    if header is None:
        return None
    table = parts.read(header.sections.offset, header.sections.size) if header.sections.offset else b""
    has_names = bool(table) and len(table) == header.sections.size
    sections = _sections(header, parts, table, names) if has_names else []
    if has_names and not sections:
        return None
    segments = _segments(header, parts.read(header.segments.offset, header.segments.size))
    data = next((one.piece for one in segments if one.is_data), None)
    return Layout(sections, [one.piece for one in segments], None if has_names else data)


def _header(head: bytes) -> _Header | None:
    form = _FORMS.get((head[4], head[5])) if len(head) >= _HEAD else None
    if form is None:
        return None
    kind, *_, segments, sections, _, _, row, rows, section_row, section_rows, names = form.header.unpack_from(head, 16)
    if kind not in _KINDS:
        return None
    return _Header(
        form,
        _Table(segments, form.segment, rows if row == form.segment.size else 0),
        _Table(sections, form.section, section_rows if section_row == form.section.size else 0),
        names,
    )


def _segments(header: _Header, table: bytes) -> list[_Segment]:
    """What is loaded with bytes of the file; nothing where the table is cut off."""
    if len(table) != header.segments.size:
        return []
    flags, offset, address, size = header.form.segment_columns
    return [
        _Segment(row[flags], Section("", row[address], row[offset], row[size]))
        for row in header.segments.row.iter_unpack(table)
        if row[0] == _LOADED and row[size]
    ]


def _sections(header: _Header, parts: Parts, table: bytes, names: Collection[str]) -> list[Section]:
    """Those with one of these names that have bytes in the file."""
    row = header.sections.row
    if header.names >= header.sections.rows:
        return []
    offset, size = row.unpack_from(table, header.names * row.size)[4:6]
    strings = parts.read(offset, min(size, _NEAR))
    if not any(name.encode() in strings for name in names):
        return []
    found = [
        Section(text(strings[name : name + _LONGEST_NAME]), *place)
        for name, kind, _, *place in (one[:6] for one in row.iter_unpack(table))
        if kind != _NO_BITS
    ]
    return [one for one in found if one.name in names and one.size]
