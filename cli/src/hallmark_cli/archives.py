"""Advisories on disk, as the zip that the scanner imports."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from hallmark_cli.failures import Misused

CHUNK = 512 * 1024
MOST_FILES = 1_000_000
LARGEST_ZIP = 2 * 1024**3
IN_MEMORY = 16 * 1024 * 1024
# The earliest time that a zip can state: the same files always give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


@contextmanager
def opened(source: Path) -> Iterator[IO[bytes]]:
    """A zip as it is, or one made of the `.json` files below a directory. Raises a Failure."""
    if source.is_dir():
        with SpooledTemporaryFile(max_size=IN_MEMORY) as made:
            _pack(source, made)
            made.seek(0)
            yield made
    else:
        try:
            file = source.open("rb")
        except OSError as problem:
            raise Misused(f"{source} cannot be read: {problem.strerror}.") from None
        with file:
            yield file


def chunks(archive: IO[bytes]) -> Iterator[bytes]:
    """Its bytes in pieces that fit a message."""
    while piece := archive.read(CHUNK):
        yield piece


def size(archive: IO[bytes]) -> int:
    """How many bytes it has; it stands at its beginning afterwards. Raises a Failure where that is too many."""
    length = archive.seek(0, 2)
    archive.seek(0)
    if length > LARGEST_ZIP:
        raise Misused(f"The archive has {length} bytes; an import takes {LARGEST_ZIP} at most.")
    return length


def _pack(directory: Path, target: IO[bytes]) -> None:
    files = sorted(file for file in directory.rglob("*.json") if file.is_file())
    if not files:
        raise Misused(f"There is no .json file below {directory}.")
    if len(files) > MOST_FILES:
        raise Misused(f"There are {len(files)} files below {directory}; an import takes {MOST_FILES} at most.")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(directory).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as member, file.open("rb") as record:
                while piece := record.read(CHUNK):
                    member.write(piece)
