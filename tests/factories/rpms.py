"""Databases of rpm made in memory: headers, and the forms that hold them."""

import sqlite3
import struct
from collections.abc import Mapping, Sequence

from scanner.inventory.rpmdb import headers as tags

_INT32, _STRING, _STRINGS = 4, 6, 8
_SLOTS = (4096 - 32) // 16

Value = str | int | Sequence[str] | Sequence[int]


def header(name: str, version: str = "1", release: str = "1", **more: Value) -> bytes:
    """A package's header as rpm stores it; `more` are values by the names of rpmdb.headers."""
    values: dict[int, Value] = {tags.NAME: name, tags.VERSION: version, tags.RELEASE: release}
    return raw_header(values | {getattr(tags, tag): value for tag, value in more.items()})


def raw_header(values: Mapping[int, Value]) -> bytes:
    """A header of any values."""
    index, data = b"", b""
    for tag, value in sorted(values.items()):
        kind, listed = _listed(value)
        if kind == _INT32:
            data += bytes(-len(data) % 4)
        index += struct.pack(">IIII", tag, kind, len(data), len(listed))
        data += b"".join(one.to_bytes(4, "big") if isinstance(one, int) else one.encode() + b"\0" for one in listed)
    return struct.pack(">II", len(values), len(data)) + index + data


def _listed(value: Value) -> tuple[int, Sequence[str] | Sequence[int]]:
    if isinstance(value, str):
        return _STRING, [value]
    if isinstance(value, int):
        return _INT32, [value]
    return (_INT32 if value and isinstance(value[0], int) else _STRINGS), value


def sqlite_database(headers: Sequence[bytes]) -> bytes:
    """`rpmdb.sqlite`."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in headers])
    connection.commit()
    whole = connection.serialize()
    connection.close()
    return whole


def ndb_database(headers: Sequence[bytes]) -> bytes:
    """`Packages.db`, as rpm's source has it (lib/backend/ndb/rpmpkg.c): one page of slots, then the blobs."""
    slots, blobs = b"", b""
    for number, one in enumerate(headers, 1):
        blob = struct.pack("<4sIII", b"BlbS", number, 1, len(one)) + one
        blob += bytes(-(len(blob) + 12) % 16) + struct.pack("<II4s", 0, len(one), b"BlbE")
        slots += struct.pack("<4sIII", b"Slot", number, (4096 + len(blobs)) // 16, len(blob) // 16)
        blobs += blob
    slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * (_SLOTS - len(headers))
    return struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(headers) + 1) + slots + blobs


def berkeley_dump(headers: Sequence[bytes]) -> str:
    """What db_load makes `Packages` of."""
    pairs = [(0, (len(headers) + 1).to_bytes(4, "little")), *enumerate(headers, 1)]
    lines = [f" {number.to_bytes(4, 'little').hex()}\n {value.hex()}\n" for number, value in pairs]
    return "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n" + "".join(lines) + "DATA=END\n"
