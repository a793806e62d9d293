"""Holding parts of a file while it streams by: in memory, without a copy, and on disk what goes beyond a bound."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self

from scanner.layers.wishes import NoEssence

_IN_MEMORY = 16 * 2**20
"""Bytes of a file that are held in memory."""
_MOST_PIECES = 1024
"""Pieces of a file that are held in memory, each of which takes some of it for itself."""


class Held:
    """Parts of a file of `size` bytes: all are added before any is read. A context manager."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._pieces: list[memoryview | None] = []
        """What lies between a start and an end; None where that is on disk, at the offsets that it has in the file."""
        self._left = _IN_MEMORY
        self._disk: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Lets go of everything."""
        self._pieces.clear()
        if self._disk:
            self._disk.close()

    def add(self, offset: int, pieces: Iterable[memoryview]) -> None:
        """Takes up a part of the file that lies behind those that are held."""
        for piece in pieces:
            self._left -= len(piece)
            if self._left >= 0 and len(self._pieces) < _MOST_PIECES:
                self._append(offset, len(piece), piece)
            else:
                self._put_on_disk(offset, piece)
            offset += len(piece)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from an offset of the file on, fewer where it ends. Raises NoEssence where one is not held."""
        size = min(size, self.size - offset)
        return b"".join(self._read(offset, size)) if size > 0 else b""

    def _append(self, offset: int, size: int, piece: memoryview | None) -> None:
        self._starts.append(offset)
        self._ends.append(offset + size)
        self._pieces.append(piece)

    def _put_on_disk(self, offset: int, piece: memoryview) -> None:
        if self._disk is None:
            self._disk = TemporaryFile()  # noqa: SIM115  # closed in __exit__
        if self._pieces and self._pieces[-1] is None and self._ends[-1] == offset:
            self._ends[-1] += len(piece)
        else:
            self._disk.seek(offset)
            self._append(offset, len(piece), None)
        self._disk.write(piece)

    def _read(self, offset: int, size: int) -> Iterator[bytes | memoryview]:
        at = bisect_right(self._starts, offset) - 1
        while size:
            if not (0 <= at < len(self._starts) and self._starts[at] <= offset < self._ends[at]):
                raise NoEssence("It is too large, or laid out too unusually, to be looked into.")
            taken = min(size, self._ends[at] - offset)
            yield self._slice(at, offset, taken)
            offset, size, at = offset + taken, size - taken, at + 1

    def _slice(self, at: int, offset: int, size: int) -> bytes | memoryview:
        piece = self._pieces[at]
        if piece is not None:
            return piece[offset - self._starts[at] :][:size]
        if self._disk is None:
            return b""
        self._disk.seek(offset)
        return self._disk.read(size)
