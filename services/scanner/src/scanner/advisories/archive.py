"""Reading a zip of OSV records, one JSON file each. Nothing of it is ever written to a path that it names."""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from scanner.advisories.sightings import Sighting, Skipped, sight
from scanner.errors import ArchiveBroken, ArchiveTooLarge

LARGEST_RECORD = 16 * 2**20
"""Bytes of one record, unpacked; a larger one is skipped."""
LARGEST_ARCHIVE = 8 * 2**30
"""Bytes of all records, unpacked."""
MOST_RECORDS = 2_000_000
_READ_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""What OSV's exports are compressed by; the others unpack in memory that is not bounded."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
_BATCH = 500
_BATCH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of an archive."""

    sightings: tuple[Sighting, ...]
    skipped: tuple[Skipped, ...]


def read_archive(file: IO[bytes], now: datetime) -> Iterator[Batch]:
    """Looks at every record, a few hundred at a time. A record that can't be used is skipped and named.

    Raises ArchiveBroken where the zip's list of its members can't be read, and ArchiveTooLarge.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (*_BROKEN, OSError) as problem:  # a place before the file's beginning can't be sought
        raise ArchiveBroken(f"The zip of advisories can't be read: {problem}. Nothing was imported.") from problem
    with archive:
        yield from _batches(archive, now)


def _batches(archive: zipfile.ZipFile, now: datetime) -> Iterator[Batch]:
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > MOST_RECORDS:
        raise ArchiveTooLarge(f"The zip holds more than {MOST_RECORDS} records.")
    sightings: list[Sighting] = []
    skipped: list[Skipped] = []
    pending = total = 0
    for member in members:
        read = _read(archive, member, now)
        if isinstance(read, Sighting):
            sightings.append(read)
            pending += len(read.body)
        else:
            skipped.append(read)
        total += member.file_size
        if total > LARGEST_ARCHIVE:
            raise ArchiveTooLarge(f"The zip holds more than {LARGEST_ARCHIVE} bytes of records.")
        if len(sightings) + len(skipped) >= _BATCH or pending >= _BATCH_BYTES:
            yield Batch(tuple(sightings), tuple(skipped))
            sightings, skipped, pending = [], [], 0
    yield Batch(tuple(sightings), tuple(skipped))


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, now: datetime) -> Sighting | Skipped:
    name = "".join(letter if letter.isprintable() else "?" for letter in member.filename[:256])
    if not member.filename.endswith(".json"):
        return Skipped(name, "It is no .json file.")
    if member.file_size > LARGEST_RECORD:
        return Skipped(name, f"It is larger than {LARGEST_RECORD} bytes.")
    if member.compress_type not in _READ_METHODS:
        return Skipped(name, "It is compressed by a method that is not read.")
    if member.header_offset < 0:
        return Skipped(name, "The zip says that it lies before its beginning.")
    try:
        with archive.open(member) as stream:
            body = stream.read(LARGEST_RECORD + 1)
    except _BROKEN as problem:
        return Skipped(name, f"It can't be read from the zip: {str(problem)[:300]}.")
    return sight(name, body, now)
