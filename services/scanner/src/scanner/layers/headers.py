"""The 512-byte headers of a tar archive, and the PAX records that add to them.

Formats: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual, "Basic Tar Format"
for base-256 numbers, long names and sparse files. Where readers differ, this one refuses, so that nothing can be in an
image for its runtime and not for us.
"""

import re
from collections.abc import Iterator
from enum import Enum
from zlib import adler32

import msgspec

from scanner.failures import LayerMalformed

BLOCK = 512
"""Bytes of a header; bodies are padded to it."""

_NUL = b"\0"
_CHECKSUM = slice(148, 156)
_BASE_256 = 0x80
_NEGATIVE = 0x40
_LARGEST = 2**63 - 1
_OCTAL = re.compile(rb"[0-7]*")


class Kind(Enum):
    """What an entry is, as far as it matters here."""

    FILE = "file"
    HARD_LINK = "hard link"
    SYMBOLIC_LINK = "symbolic link"
    DIRECTORY = "directory"
    SPECIAL = "device or pipe"
    SPARSE = "GNU sparse file"
    PAX = "PAX header"
    PAX_GLOBAL = "global PAX header"
    LONG_NAME = "GNU long name"
    LONG_LINK = "GNU long link"


_GNU = b"ustar  \0"
_MAGIC = slice(257, 265)
_SPARSE = slice(386, 495)

_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMBOLIC_LINK,
    b"3": Kind.SPECIAL,
    b"4": Kind.SPECIAL,
    b"5": Kind.DIRECTORY,
    b"6": Kind.SPECIAL,
    b"S": Kind.SPARSE,
    b"x": Kind.PAX,
    b"g": Kind.PAX_GLOBAL,
    b"L": Kind.LONG_NAME,
    b"K": Kind.LONG_LINK,
}

WITH_BODY = (Kind.FILE, Kind.SPARSE, Kind.PAX, Kind.PAX_GLOBAL, Kind.LONG_NAME, Kind.LONG_LINK)
"""The kinds whose size counts; that of the others is ignored, as every reader does."""


class Header(msgspec.Struct, frozen=True):
    """A header by itself; `size` is the bytes of the body that follows. Names are as they stand there.

    `sparse` are the fields that a GNU sparse file has beside: the begin of its map, whether blocks with more of it
    follow, and its size; empty for other kinds.
    """

    kind: Kind
    name: bytes
    link: bytes
    size: int
    sparse: bytes


def parse_header(block: bytes) -> Header:
    """Reads a header. Raises LayerMalformed where its checksum or a number is wrong, or its type unknown."""
    _check_sum(block)
    kind = _KINDS.get(block[156:157])
    if kind is None:
        raise LayerMalformed(f"A layer holds an entry of the unknown type {block[156:157]!r}.")
    name = _text(block[0:100])
    size = number(block[124:136], "size")
    if prefix := _prefix(block):
        name = prefix + b"/" + name
    if block[156] == 0 and name.endswith(b"/"):
        kind = Kind.DIRECTORY
        if size:
            raise LayerMalformed("A layer holds a directory with a body.")
    if kind is Kind.SPARSE and block[_MAGIC] != _GNU:
        raise LayerMalformed("A layer holds a sparse file of an unknown format.")
    sparse = block[_SPARSE] if kind is Kind.SPARSE else b""
    return Header(kind, name, _text(block[157:257]), size if kind in WITH_BODY else 0, sparse)


def parse_pax(body: bytes) -> dict[bytes, bytes]:
    """The records of a PAX header, the last of each key. Raises LayerMalformed."""
    return dict(pax_records(body))


def pax_records(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each record of a PAX header, key and value. Raises LayerMalformed."""
    at = 0
    while at < len(body):
        digits, space, _ = body[at : at + 20].partition(b" ")
        end = at + int(digits) if space and digits.isdigit() else 0
        key, equals, value = body[at + len(digits) + 1 : end].partition(b"=")
        if not (at < end <= len(body) and equals and key and value.endswith(b"\n")):
            raise LayerMalformed("A layer holds a malformed PAX header.")
        yield key, value[:-1]
        at = end


def pax_number(value: bytes, name: str) -> int:
    """A decimal number of a PAX record. Raises LayerMalformed."""
    if not value.isdigit() or len(value) > len(str(_LARGEST)) or int(value) > _LARGEST:
        raise LayerMalformed(f"A layer holds a PAX header whose {name} is no number.")
    return int(value)


def _check_sum(block: bytes) -> None:
    """The sum of all bytes, the field itself taken as spaces; old writers took the bytes as signed."""
    stored = number(block[_CHECKSUM], "checksum")
    blank = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    # Half of Adler-32 is one more than the sum, as long as that is below 65521, which these zeros make sure of.
    if block.count(0) > BLOCK // 2 and stored == (adler32(blank) & 0xFFFF) - 1:
        return
    if stored != sum(blank) and stored != sum(memoryview(blank).cast("b")):
        raise LayerMalformed("A layer holds a header with a wrong checksum, or is no tar archive.")


def _prefix(block: bytes) -> bytes:
    """What comes before the name in ustar's form; star's form has a shorter one, GNU's has other fields there."""
    if block[257:263] != b"ustar\0":
        return b""
    return _text(block[345:476] if block[508:512] == b"tar\0" else block[345:500])


def _text(field: bytes) -> bytes:
    return field.partition(_NUL)[0]


def number(field: bytes, name: str) -> int:
    """A number in octal digits, or in base 256 where the first bit is set (GNU). Raises LayerMalformed."""
    if field[0] & _BASE_256:
        value = int.from_bytes(field, "big") & ~(_BASE_256 << 8 * (len(field) - 1))
        if field[0] & _NEGATIVE or value > _LARGEST:
            raise LayerMalformed(f"A layer holds a header whose {name} is out of range.")
        return value
    digits = field.strip(b" \0")
    if not _OCTAL.fullmatch(digits):
        raise LayerMalformed(f"A layer holds a header whose {name} is no number.")
    return int(digits or b"0", 8)
