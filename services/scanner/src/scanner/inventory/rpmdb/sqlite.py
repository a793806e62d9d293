"""rpm's database as SQLite keeps it, `rpmdb.sqlite`: the table Packages has a header in each row.

Form: rpm's source, lib/backend/sqlite.c.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from scanner.inventory.rpmdb.errors import DatabaseMalformed

MAGIC = b"SQLite format 3\0"
_STEPS = 1000
"""Instructions of SQLite's between two looks at how many there were."""
_MOST_LOOKS = 100_000


def read(file: BinaryIO) -> Iterator[bytes]:
    """Every header. Raises DatabaseMalformed."""
    file.seek(0)
    with NamedTemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        try:
            yield from _rows(copy.name)
        except (sqlite3.Error, UnicodeDecodeError) as problem:
            raise DatabaseMalformed(f"SQLite can't read it: {problem}.") from problem


def _rows(path: str) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        looks = iter(range(_MOST_LOOKS))
        connection.set_progress_handler(lambda: next(looks, None) is None, _STEPS)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
            if not isinstance(blob, bytes):
                raise DatabaseMalformed("A row of its packages is no header.")
            yield blob
