"""From the file of a database, whichever form it has, to the headers in it."""

from collections.abc import Iterator
from typing import BinaryIO

from scanner.inventory.rpmdb import berkeley, ndb, sqlite
from scanner.inventory.rpmdb.errors import DatabaseMalformed

MOST_HEADERS = 100_000
LARGEST_HEADER = 256 * 2**20
"""Bytes of one header, rpm's own bound."""


def read_headers(file: BinaryIO) -> Iterator[bytes]:
    """The header of every package, as rpm stores it. Raises DatabaseMalformed."""
    begin = file.read(berkeley.BEGIN)
    if begin.startswith(sqlite.MAGIC):
        headers = sqlite.read(file)
    elif begin.startswith(ndb.MAGIC):
        headers = ndb.read(file)
    elif berkeley.is_berkeley(begin):
        headers = berkeley.read(file)
    else:
        raise DatabaseMalformed("It is in none of the forms of an rpm database.")
    for number, header in enumerate(headers):
        if number >= MOST_HEADERS:
            raise DatabaseMalformed(f"It holds more than {MOST_HEADERS} packages.")
        yield header
