"""rpm's own database, `Packages.db`: pages of slots that say where the blob of each package lies.

Form: rpm's source, lib/backend/ndb/rpmpkg.c. All numbers are little-endian.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Any, BinaryIO

from scanner.inventory.rpmdb.errors import DatabaseMalformed

MAGIC = b"RpmP"
_HEAD = Struct("<4sI4xI")
"""Magic, version, generation, pages of slots."""
_FIRST_SLOT = 32
_PAGE = 4096
_MOST_PAGES = 2048
_SLOT = Struct("<4sIII")
"""Magic, number of the package (0: free), where its blob begins and how long it is, both in blocks."""
_BLOCK = 16
_BLOB = Struct("<4sI4xI")
"""Magic, number of the package, generation, bytes of the header that follows."""


def read(file: BinaryIO) -> Iterator[bytes]:
    """Every header. Raises DatabaseMalformed."""
    file.seek(0)
    _, version, pages = _unpack(_HEAD, file.read(_HEAD.size))
    if version != 0 or not 0 < pages <= _MOST_PAGES:
        raise DatabaseMalformed("It is of a version of rpm's own database that is not known.")
    file.seek(_FIRST_SLOT)
    slots = file.read(pages * _PAGE - _FIRST_SLOT)
    for at in range(0, len(slots) - _SLOT.size + 1, _SLOT.size):
        magic, package, offset, blocks = _SLOT.unpack_from(slots, at)
        if magic != b"Slot":
            raise DatabaseMalformed("A slot of it is broken.")
        if package:
            yield _blob(file, package, offset * _BLOCK, blocks * _BLOCK)


def _blob(file: BinaryIO, package: int, offset: int, room: int) -> bytes:
    file.seek(offset)
    magic, owner, size = _unpack(_BLOB, file.read(_BLOB.size))
    if magic != b"BlbS" or owner != package or size > room:
        raise DatabaseMalformed(f"The blob of package {package} is broken.")
    header = file.read(size)
    if len(header) < size:
        raise DatabaseMalformed(f"The blob of package {package} is cut off.")
    return header


def _unpack(form: Struct, data: bytes) -> tuple[Any, ...]:
    if len(data) < form.size:
        raise DatabaseMalformed("It is cut off.")
    return form.unpack(data)
