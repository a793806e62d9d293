"""Sparse files: the maps of where their data lie, and filling the holes between as a runtime does.

Formats: GNU tar's manual, "Storing Sparse Files": the old GNU format, and PAX formats 0.0, 0.1 and 1.0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.failures import LayerMalformed, LimitExceeded
from scanner.layers.headers import BLOCK, number, pax_number, pax_records
from scanner.layers.stream import Stream

_KEY = b"GNU.sparse."
_IN_HEADER = {(b"0", b"0"), (b"0", b"1"), (b"", b"")}
_IN_BODY = (b"1", b"0")
_PAIR = 24
"""Bytes of an offset and a length in the old format."""
_IN_FIRST, _IN_MORE = 4 * _PAIR, 21 * _PAIR
_LONGEST_LINE = 20
_HOLE = bytes(64 * 2**10)


@dataclass(frozen=True, slots=True)
class SparseFile:
    """A file of `size` bytes: `parts` are offset and length of each piece of data, in order; all else is zeros."""

    size: int
    parts: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PaxSparse:
    """What a PAX header says of a sparse file. Without `numbers`, offsets and lengths stand before the data."""

    name: bytes
    size: int
    numbers: Sequence[bytes] | None


def pax_sparse(body: bytes) -> PaxSparse | None:
    """What a PAX header says of a sparse file; None where it describes none. Raises LayerMalformed."""
    pairs = [(key.removeprefix(_KEY), value) for key, value in pax_records(body) if key.startswith(_KEY)]
    if not pairs:
        return None
    told = dict(pairs)
    version = told.get(b"major", b""), told.get(b"minor", b"")
    counted = [value for key, value in pairs if key in {b"offset", b"numbytes"}]
    in_header = version in _IN_HEADER and (b"map" in told) != bool(counted) and _alternate(pairs)
    if version != _IN_BODY and not in_header:
        raise LayerMalformed("A layer holds a sparse file of an unknown format.")
    sizes = {told[key] for key in (b"size", b"realsize") if key in told}
    if len(sizes) != 1:
        raise LayerMalformed("A layer holds a sparse file that does not say its size, or two.")
    size = pax_number(sizes.pop(), "size of a sparse file")
    numbers = (counted or told[b"map"].split(b",")) if in_header else None
    return PaxSparse(told.get(b"name", b""), size, numbers)


def _alternate(pairs: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether format 0.0 has its offsets and lengths by turns."""
    keys = [key for key, _ in pairs if key in {b"offset", b"numbytes"}]
    return keys == [b"offset", b"numbytes"] * (len(keys) // 2)


def read_pax_map(described: PaxSparse, stream: Stream, archived: int, bound: int) -> SparseFile:
    """The map of a file described by a PAX header, of whose body `archived` bytes lie ahead.

    Leaves the stream at the first byte of data. Raises LayerMalformed, LayerTruncated and LimitExceeded.
    """
    begun = stream.position
    if described.numbers is None:
        numbers = _numbers_in_body(stream, bound)
    else:
        numbers = [pax_number(one, "map of a sparse file") for one in described.numbers]
    return _sparse_file(described.size, numbers, archived - (stream.position - begun))


def read_gnu_map(fields: bytes, stream: Stream, archived: int, bound: int) -> SparseFile:
    """The map of a file in the old format; `fields` are those of its header. Otherwise as read_pax_map."""
    numbers = _numbers_in_block(fields[:_IN_FIRST])
    extended, read = fields[_IN_FIRST], 0
    while extended:
        read += BLOCK
        _demand_room(read, bound)
        block = stream.read(BLOCK)
        numbers += _numbers_in_block(block[:_IN_MORE])
        extended = block[_IN_MORE]
    size = number(fields[_IN_FIRST + 1 :], "size of a sparse file")
    return _sparse_file(size, numbers, archived)


def _numbers_in_block(pairs: bytes) -> list[int]:
    """Those up to the first pair that is not filled in."""
    numbers: list[int] = []
    for at in range(0, len(pairs), _PAIR):
        if not pairs[at]:
            break
        middle = at + _PAIR // 2
        numbers += [number(field, "map of a sparse file") for field in (pairs[at:middle], pairs[middle : at + _PAIR])]
    return numbers


def _numbers_in_body(stream: Stream, bound: int) -> list[int]:
    """Format 1.0: how many pairs there are and each number on a line, padded to a block."""
    numbers: list[int] = []
    line, read, wanted = b"", 0, 1
    while len(numbers) < wanted:
        read += BLOCK
        _demand_room(read, bound)
        *lines, line = (line + stream.read(BLOCK)).split(b"\n")
        if not numbers and lines:
            wanted = 1 + 2 * pax_number(lines[0], "map of a sparse file")
        numbers += [pax_number(one, "map of a sparse file") for one in lines[: wanted - len(numbers)]]
        if len(numbers) < wanted and len(line) > _LONGEST_LINE:
            raise LayerMalformed("A layer holds a sparse file whose map is none.")
    return numbers[1:]


def _demand_room(size: int, bound: int) -> None:
    if size > bound:
        raise LimitExceeded(f"A layer holds a sparse file's map above {bound} bytes, the bound `special_header`.")


def _sparse_file(size: int, numbers: Sequence[int], archived: int) -> SparseFile:
    parts = list(zip(numbers[::2], numbers[1::2], strict=len(numbers) % 2 == 0))
    end = 0
    for offset, length in parts:
        if offset < end:
            raise LayerMalformed("A layer holds a sparse file whose parts overlap.")
        end = offset + length
    if len(numbers) % 2 or end > size or sum(length for _, length in parts) != archived:
        raise LayerMalformed("A layer holds a sparse file whose map does not fit its size and data.")
    return SparseFile(size, parts)


class Filler:
    """Fills the holes of a layer's sparse files; `most` bytes of zeros in all of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._filled = 0

    def fill(self, file: SparseFile, stream: Stream) -> Iterator[bytes]:
        """The bytes of a file whose data lie ahead. Raises LayerTruncated and LimitExceeded."""
        at = 0
        for offset, length in (*file.parts, (file.size, 0)):
            yield from self._zeros(offset - at)
            yield from stream.pieces(length)
            at = offset + length

    def _zeros(self, size: int) -> Iterator[bytes]:
        while size:
            piece = _HOLE[:size]
            size -= len(piece)
            self._filled += len(piece)
            if self._filled > self._most:
                raise LimitExceeded(
                    f"A layer's sparse files have more than {self._most} bytes of holes, the bound `holes`."
                )
            yield piece
