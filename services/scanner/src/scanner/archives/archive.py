"""An archive on disk, decompressed and indexed in one pass. Nothing of it is ever written to a path that it names."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from scanner.failures import ArchiveIncomplete, LayerMalformed, LimitExceeded
from scanner.layers.archive import Entry, walk
from scanner.layers.decompression import decompress
from scanner.layers.headers import Kind
from scanner.layers.limits import Limits
from scanner.layers.paths import normalise, printable

PIECE = 2**20
_MOST_MEMBERS = 100_000
_MOST_NAMES = 32 * 2**20
_MOST_HOPS = 10


def limits_of(size: int) -> Limits:
    """The bounds of an archive that may take so many bytes on disk."""
    return Limits(compressed=size, uncompressed=size, members=_MOST_MEMBERS)


@dataclass(frozen=True, slots=True)
class Body:
    """Where a file's bytes lie in the archive."""

    begin: int
    size: int


Member = Body | str
"""A file, or the path that a link leads to."""


class Archive:
    """The files of an archive by their paths. Reads from any thread; `close` frees its room on disk."""

    def __init__(self, file: IO[bytes], members: Mapping[str, Member]) -> None:
        self._file = file
        self._members = members

    def holds(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._body(path) is not None

    def size(self, path: str) -> int:
        """How many bytes a file has. Raises ArchiveIncomplete."""
        return self._demand(path).size

    def read(self, path: str, most: int) -> bytes:
        """A small file. Raises ArchiveIncomplete, and LimitExceeded where it is larger than `most` bytes."""
        body = self._demand(path)
        if body.size > most:
            raise LimitExceeded(f"The archive's file {printable(path)} is larger than {most} bytes, the bound `file`.")
        return b"".join(self._pieces(body))

    def pieces(self, path: str) -> Iterator[bytes]:
        """A file's bytes. Raises ArchiveIncomplete."""
        return self._pieces(self._demand(path))

    def close(self) -> None:
        """Let it go."""
        self._file.close()

    def _pieces(self, body: Body) -> Iterator[bytes]:
        for at in range(body.begin, body.begin + body.size, PIECE):
            yield os.pread(self._file.fileno(), min(PIECE, body.begin + body.size - at), at)

    def _demand(self, path: str) -> Body:
        body = self._body(path)
        if body is None:
            raise ArchiveIncomplete(f"The archive does not hold the file {printable(path)}.")
        return body

    def _body(self, path: str) -> Body | None:
        """The file at a path, a few links followed, which lead to members of the archive and nowhere else."""
        path = normalise(path)
        for _ in range(_MOST_HOPS):
            member = self._members.get(path)
            if not isinstance(member, str):
                return member
            path = member
        return None


def take_in(stored: Iterable[bytes], file: IO[bytes], limits: Limits) -> Archive:
    """Write an archive (plain, gzip or zstd) into a file, and find its members. Blocks; made for a thread.

    Raises LayerTruncated, LayerMalformed, LimitExceeded, OSError, and what `stored` raises.
    """
    blocks = _written(decompress(stored, limits), file)
    members: dict[str, Member] = {}
    names = 0
    for entry in walk(blocks, lambda _: None, limits):
        member = _member(entry)
        if member is None:
            continue
        if entry.path in members:
            raise LayerMalformed(f"A layer holds two files {printable(entry.path)}.")
        members[entry.path] = member
        names += len(entry.path) + len(entry.link)
        if names > _MOST_NAMES:
            raise LimitExceeded(f"A layer holds more than {_MOST_NAMES} bytes of names, the bound `names`.")
    for _ in blocks:
        """What follows the archive's end mark is written too, and never looked at."""
    file.flush()
    return Archive(file, members)


def _written(blocks: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for block in blocks:
        file.write(block)
        yield block


def _member(entry: Entry) -> Member | None:
    if entry.kind is Kind.HARD_LINK:
        return normalise(entry.link)
    if entry.kind is Kind.SYMBOLIC_LINK:
        return normalise(posixpath.join("/", posixpath.dirname(entry.path), entry.link))
    if entry.kind is not Kind.FILE:
        return None
    if entry.begin is None:
        raise LayerMalformed(f"A layer holds a sparse file {printable(entry.path)}, which no image's archive has.")
    return Body(entry.begin, entry.size)
