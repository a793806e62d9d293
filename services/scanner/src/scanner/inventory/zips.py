"""Zip archives: their directory, and members by pieces, in memory that does not grow with the archive.

Format: PKWARE's APPNOTE. As Java does, an archive is read by the directory at its end; what lies before the first
member, such as a script that starts it, counts for nothing.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from isal import igzip_lib

MAGIC = b"PK\3\4"
"""The first bytes of an archive before which nothing lies."""

_PIECE = 256 * 2**10
_COMMENT = 2**16 - 1
_END = struct.Struct("<4s6xHIIH")
_END_64 = struct.Struct("<4s36xQQ")
_LOCATOR = struct.Struct("<4s4xQ4x")
_CENTRAL = struct.Struct("<4s4xHH4xIIIHHH8xI")
_LOCAL = struct.Struct("<4s22xHH")
_EXTRA = struct.Struct("<HH")
_LONGEST = _CENTRAL.size + 3 * _COMMENT
"""Bytes of a record of the directory at most."""
_ABSENT, _ABSENT_COUNT = 2**32 - 1, 2**16 - 1
"""Stand where a number is too large for its four or two bytes, and follows in eight."""
_ENCRYPTED = 1
_STORED, _DEFLATED = 0, 8
_ISAL_ERROR: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # the stubs say it is an instance


class ZipMalformed(Exception):
    """What can't be read; the text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a file: `size` bytes from `start` on."""

    file: BinaryIO
    start: int
    size: int

    def read(self, at: int, size: int) -> bytes:
        """So many bytes from `at` on. Raises ZipMalformed where there are fewer."""
        if not 0 <= at <= at + size <= self.size:
            raise ZipMalformed("It ends too early, or its directory lies.")
        self.file.seek(self.start + at)
        data = self.file.read(size)
        if len(data) < size:
            raise ZipMalformed("It ends too early.")
        return data

    def begins(self, magic: bytes) -> bool:
        """Whether these are its first bytes."""
        return self.size >= len(magic) and self.read(0, len(magic)) == magic


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive as the directory tells of it; sizes are bytes, `at` is where its local header begins."""

    name: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    at: int


def members(section: Section, wanted: "re.Pattern[bytes]", spend: Callable[[int], None]) -> Iterator[Member]:
    """The members whose whole names fit, in the directory's order; `spend` is told the directory's size beforehand.

    Raises ZipMalformed, and what `spend` raises.
    """
    at, end, shift = _directory(section)
    spend(end - at)
    buffer, start = b"", at
    while at < end:
        if at + _LONGEST > start + len(buffer):
            buffer, start = section.read(at, min(_LONGEST + _PIECE, end - at)), at
        inside = at - start
        if len(buffer) < inside + _CENTRAL.size:
            raise ZipMalformed("Its directory ends too early.")
        magic, flags, method, checksum, packed, size, names, extras, comments, local = _CENTRAL.unpack_from(
            buffer, inside
        )
        if magic != b"PK\1\2":
            raise ZipMalformed("Its directory is broken.")
        inside += _CENTRAL.size
        name = buffer[inside : inside + names]
        at += _CENTRAL.size + names + extras + comments
        if wanted.fullmatch(name):
            extra = buffer[inside + names : inside + names + extras]
            packed, size, local = _large(extra, packed, size, local)
            yield Member(name, flags, method, checksum, packed, size, local + shift)
    if at != end:
        raise ZipMalformed("Its directory ends too early.")


def content(section: Section, member: Member) -> Section:
    """The bytes of a member as they lie there. Raises ZipMalformed."""
    if member.flags & _ENCRYPTED:
        raise ZipMalformed("A member that matters is encrypted.")
    magic, name, extra = _LOCAL.unpack(section.read(member.at, _LOCAL.size))
    if magic != MAGIC or section.read(member.at + _LOCAL.size, name) != member.name:
        raise ZipMalformed("A member that matters is not where the directory says.")
    at = member.at + _LOCAL.size + name + extra
    if at + member.packed > section.size:
        raise ZipMalformed("A member that matters ends too late.")
    return Section(section.file, section.start + at, member.packed)


def is_stored(member: Member) -> bool:
    """Whether its bytes lie there as they are."""
    return member.method == _STORED and member.packed == member.size


def pieces(section: Section, member: Member) -> Iterator[bytes]:
    """The unpacked bytes of a member, never more than it says, checked at the end. Raises ZipMalformed."""
    packed = content(section, member)
    checksum = size = 0
    for piece in _unpacked(packed, member.method):
        checksum = zlib.crc32(piece, checksum)
        size += len(piece)
        if size > member.size:
            break
        yield piece
    if (size, checksum) != (member.size, member.checksum):
        raise ZipMalformed("A member that matters is not of the size or checksum that the directory says.")


def head(section: Section, member: Member, size: int) -> bytes:
    """The first bytes of a member, fewer where it is smaller. Raises ZipMalformed."""
    data = b""
    for piece in pieces(section, member):
        data += piece
        if len(data) >= size:
            break
    return data[:size]


def _unpacked(packed: Section, method: int) -> Iterator[bytes]:
    if method == _STORED:
        for at in range(0, packed.size, _PIECE):
            yield packed.read(at, min(_PIECE, packed.size - at))
    elif method == _DEFLATED:
        yield from _inflated(packed)
    else:
        raise ZipMalformed("A member that matters is compressed by a method that Java does not know.")


def _inflated(packed: Section) -> Iterator[bytes]:
    unpacking = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    at = 0
    try:
        while not unpacking.eof:
            fed = b""
            if unpacking.needs_input:
                fed = packed.read(at, min(_PIECE, packed.size - at))
                at += len(fed)
                if not fed:
                    raise ZipMalformed("A member that matters ends too early.")
            if piece := unpacking.decompress(fed, _PIECE):
                yield piece
    except _ISAL_ERROR as problem:
        raise ZipMalformed("A member that matters can't be unpacked.") from problem


def _directory(section: Section) -> tuple[int, int, int]:
    """Where the directory begins and ends, and how far from where they say everything lies."""
    tail_size = min(section.size, _END.size + _COMMENT)
    tail_at = section.size - tail_size
    tail = section.read(tail_at, tail_size)
    found = tail.rfind(b"PK\5\6")
    while found >= 0 and not _is_end(tail, found):
        found = tail.rfind(b"PK\5\6", 0, found)
    if found < 0:
        raise ZipMalformed("It is no zip archive, or its directory is missing.")
    _, count, size, offset, _ = _END.unpack_from(tail, found)
    end = tail_at + found
    if count == _ABSENT_COUNT or _ABSENT in (size, offset):
        end, size, offset = _directory_64(section, end) or (end, size, offset)
    if size > end or offset > end - size:
        raise ZipMalformed("Its directory lies outside of it.")
    return end - size, end, end - size - offset


def _is_end(tail: bytes, at: int) -> bool:
    return at + _END.size <= len(tail) and at + _END.size + int(_END.unpack_from(tail, at)[4]) <= len(tail)


def _directory_64(section: Section, end: int) -> tuple[int, int, int] | None:
    """Where the directory ends, its size and offset by the record for large archives; None where there is none."""
    if end < _LOCATOR.size + _END_64.size:
        return None
    before = end - _LOCATOR.size - _END_64.size
    magic, said = _LOCATOR.unpack(section.read(end - _LOCATOR.size, _LOCATOR.size))
    # What lies before the first member shifts the record: it is then right before its locator.
    for at in (said, before) if magic == b"PK\6\7" else ():
        if at <= before:
            magic, size, offset = _END_64.unpack(section.read(at, _END_64.size))
            if magic == b"PK\6\6":
                return at, size, offset
    return None


def _large(extra: bytes, packed: int, size: int, at: int) -> tuple[int, int, int]:
    """Sizes and place, those too large for four bytes taken from the extra field for that (its id is 1)."""
    numbers = [size, packed, at]
    while _ABSENT in numbers:
        if len(extra) < _EXTRA.size:
            raise ZipMalformed("Its directory is broken.")
        kind, length = _EXTRA.unpack_from(extra)
        field, extra = extra[_EXTRA.size : _EXTRA.size + length], extra[_EXTRA.size + length :]
        if kind == 1:
            absent = [place for place, number in enumerate(numbers) if number == _ABSENT]
            if len(field) < 8 * len(absent):
                raise ZipMalformed("Its directory is broken.")
            for number, place in enumerate(absent):
                numbers[place] = int.from_bytes(field[8 * number : 8 * number + 8], "little")
            break
    return numbers[1], numbers[0], numbers[2]
