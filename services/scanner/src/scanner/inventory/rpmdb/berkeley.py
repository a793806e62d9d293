"""rpm's database as Berkeley DB kept it, `Packages`: a hash table whose values are the headers.

Form: Berkeley DB's source, dbinc/db_page.h. Numbers are in the order of the machine that wrote it, which its magic
tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from scanner.inventory.rpmdb.errors import DatabaseMalformed

BEGIN = 72
"""Bytes at the beginning that tell what it is."""
_MAGIC = 0x061561
_MAGIC_AT, _VERSION_AT, _PAGE_SIZE_AT, _ENCRYPTION_AT, _LAST_PAGE_AT = 12, 16, 20, 24, 32
_VERSIONS = range(7, 11)
_PAGE_SIZES = {2**power for power in range(9, 17)}
_PAGE_HEAD = 26
_NEXT_AT, _ENTRIES_AT, _LENGTH_AT, _TYPE_AT = 16, 20, 22, 25
_HASH_PAGES = {2, 13}
_OVERFLOW_PAGE = 7
_INLINE, _OFF_PAGE = 1, 3
_OFF_PAGE_SIZE = 12
_COUNTER = 4
"""Bytes of the value that is no header: the number of the next package."""
_LARGEST = 256 * 2**20
"""Bytes of a value."""


def is_berkeley(begin: bytes) -> bool:
    """Whether a file that begins so is a hash table of Berkeley DB."""
    magic = begin[_MAGIC_AT : _MAGIC_AT + 4]
    return magic in {_MAGIC.to_bytes(4, "little"), _MAGIC.to_bytes(4, "big")}


def read(file: BinaryIO) -> Iterator[bytes]:
    """Every header. Raises DatabaseMalformed."""
    table = _open(file)
    for number in range(1, table.last_page + 1):
        page = table.page(number)
        if page[_TYPE_AT] in _HASH_PAGES:
            yield from (value for value in _values(table, page) if len(value) > _COUNTER)


@dataclass(frozen=True, slots=True)
class _Table:
    file: BinaryIO
    little: bool
    page_size: int
    last_page: int

    def number(self, data: bytes, at: int, size: int = 4) -> int:
        return int.from_bytes(data[at : at + size], "little" if self.little else "big")

    def page(self, number: int) -> bytes:
        self.file.seek(number * self.page_size)
        page = self.file.read(self.page_size)
        if len(page) < self.page_size:
            raise DatabaseMalformed(f"Page {number} of it is cut off.")
        return page


def _open(file: BinaryIO) -> _Table:
    file.seek(0)
    begin = file.read(BEGIN)
    little = begin[_MAGIC_AT : _MAGIC_AT + 4] == _MAGIC.to_bytes(4, "little")
    table = _Table(file, little, 0, 0)
    version, page_size = table.number(begin, _VERSION_AT), table.number(begin, _PAGE_SIZE_AT)
    if len(begin) < BEGIN or version not in _VERSIONS or page_size not in _PAGE_SIZES or begin[_ENCRYPTION_AT]:
        raise DatabaseMalformed("It is of a version of Berkeley DB that is not known.")
    return _Table(file, little, page_size, table.number(begin, _LAST_PAGE_AT))


def _values(table: _Table, page: bytes) -> Iterator[bytes]:
    """The values of a page's pairs of key and value."""
    count = table.number(page, _ENTRIES_AT, 2)
    if _PAGE_HEAD + 2 * count > len(page):
        raise DatabaseMalformed("A page of it holds more entries than fit.")
    offsets = [len(page)] + [table.number(page, _PAGE_HEAD + 2 * index, 2) for index in range(count)]
    for index, (end, start) in enumerate(pairwise(offsets)):
        if not _PAGE_HEAD <= start < end:
            raise DatabaseMalformed("A page of it has entries that overlap.")
        if index % 2:
            yield _value(table, page[start:end])


def _value(table: _Table, item: bytes) -> bytes:
    if item[0] == _INLINE:
        return item[1:]
    if item[0] != _OFF_PAGE or len(item) < _OFF_PAGE_SIZE:
        raise DatabaseMalformed("It holds an entry of a kind that rpm does not write.")
    return _chained(table, table.number(item, 4), table.number(item, 8))


def _chained(table: _Table, number: int, size: int) -> bytes:
    """A value that goes over several pages."""
    if size > min(_LARGEST, (table.last_page + 1) * table.page_size):
        raise DatabaseMalformed("It holds a value that is larger than the file.")
    parts: list[bytes] = []
    while size > 0:
        page = table.page(number)
        length = table.number(page, _LENGTH_AT, 2)
        if page[_TYPE_AT] != _OVERFLOW_PAGE or not 0 < length <= min(size, table.page_size - _PAGE_HEAD):
            raise DatabaseMalformed("It holds a value whose pages are broken.")
        parts.append(page[_PAGE_HEAD : _PAGE_HEAD + length])
        size -= length
        number = table.number(page, _NEXT_AT)
    return b"".join(parts)
