"""Walking a tar archive as it streams in: every header is read, bodies are skipped unless they are asked for.

What is made for each member is a msgspec.Struct, which takes a fraction of a dataclass' time.
"""

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import msgspec

from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded
from scanner.layers.headers import BLOCK, Header, Kind, parse_header, parse_pax, pax_number
from scanner.layers.holding import Held
from scanner.layers.limits import Limits
from scanner.layers.paths import normalise
from scanner.layers.sparse import Filler, PaxSparse, pax_sparse, read_gnu_map, read_pax_map
from scanner.layers.stream import Stream
from scanner.layers.wishes import Essence, Glance, Keep, NoEssence, Wish

_ZEROS = bytes(BLOCK)
_DESCRIBING = (Kind.PAX, Kind.PAX_GLOBAL, Kind.LONG_NAME, Kind.LONG_LINK)
_RENAMING = (b"path", b"linkpath", b"size")
_SPOOLED = 16 * 2**20
"""Bytes of a file that are held in memory while its essence is made out; of a larger one, all lie on disk."""


class Entry(msgspec.Struct, frozen=True):
    """A member of the archive. `kind` is never one of the kinds that only describe the next entry.

    `path` is normalised, `link` as it stands there. Of a file that is kept, `body` has its first bytes, as many as
    asked for, or its essence; it is None for other files, and where it can't be had, which `problem` then says in a
    sentence. `size` is the size of the file, the holes of a sparse one counted, or of the essence. `begin` is where the
    body begins in the archive, None where it does not lie there as it is.
    """

    kind: Kind
    path: str
    link: str
    size: int
    body: bytes | None
    problem: str = ""
    begin: int | None = None


def walk(blocks: Iterable[bytes], keep: Keep, limits: Limits) -> Iterator[Entry]:
    """The members of an archive in their order; what follows its end mark is left in `blocks`.

    Raises LayerTruncated, LayerMalformed and LimitExceeded.
    """
    stream = Stream(blocks)
    reader = _Reader(stream, keep, limits)
    described = _Description()
    for _ in range(limits.members):
        block = stream.read_up_to(BLOCK)
        if _is_end(block, stream):
            described.expect_none()
            return
        header = parse_header(block)
        if described.take(header, stream, limits):
            continue
        yield reader.entry(described.apply(header, limits))
        described = _Description()
    raise LimitExceeded(f"A layer has more than {limits.members} entries, the bound `members`.")


class _Member(msgspec.Struct, frozen=True):
    """A header with all that described it; `size` is that of the body as archived."""

    header: Header
    name: bytes
    link: bytes
    size: int
    sparse: PaxSparse | None


class _Description:
    """What comes before an entry's own header and adds to it: a PAX header, GNU long names."""

    def __init__(self) -> None:
        self._parts: dict[Kind, bytes] = {}

    def take(self, header: Header, stream: Stream, limits: Limits) -> bool:
        """Takes up the header if it describes another one. Of two alike, readers differ on which counts."""
        if header.kind not in _DESCRIBING:
            return False
        bound = limits.special_header
        if header.size > bound:
            raise LimitExceeded(f"A layer holds a {header.kind.value} above {bound} bytes, the bound `special_header`.")
        body = stream.read(header.size)
        stream.skip(-header.size % BLOCK)
        if header.kind is Kind.PAX_GLOBAL:
            _check_global(body)
        elif self._parts.setdefault(header.kind, body) is not body:
            raise LayerMalformed(f"A layer holds an entry with more than one {header.kind.value}.")
        return True

    def expect_none(self) -> None:
        """Raises LayerTruncated where something is described that did not come."""
        if self._parts:
            raise LayerTruncated("A layer ends between an entry's extended header and the entry.")

    def apply(self, header: Header, limits: Limits) -> _Member:
        """The entry as it is described."""
        if not self._parts:
            return _Member(header, header.name, header.link, header.size, None)
        records = parse_pax(self._parts.get(Kind.PAX, b""))
        sparse = pax_sparse(self._parts.get(Kind.PAX, b""))
        if sparse and header.kind is not Kind.FILE:
            raise LayerMalformed(f"A layer holds a {header.kind.value} that a PAX header makes a sparse file.")
        name = _one_of(records.get(b"path"), self._parts.get(Kind.LONG_NAME)) or header.name
        link = _one_of(records.get(b"linkpath"), self._parts.get(Kind.LONG_LINK)) or header.link
        if sparse and sparse.name:
            name = sparse.name
        if max(len(name), len(link)) > limits.path:
            raise LimitExceeded(f"A layer holds a path of more than {limits.path} bytes, the bound `path`.")
        if b"\0" in name or b"\0" in link:
            raise LayerMalformed("A layer holds a path with a NUL in it.")
        size = records.get(b"size")
        counts = header.kind is Kind.FILE or header.kind is Kind.SPARSE
        return _Member(header, name, link, pax_number(size, "size") if size and counts else header.size, sparse)


def _one_of(pax: bytes | None, gnu: bytes | None) -> bytes | None:
    if pax and gnu is not None:
        raise LayerMalformed("A layer holds an entry with both a PAX header and a GNU long name.")
    return pax or (gnu.partition(b"\0")[0] if gnu is not None else None)


def _check_global(body: bytes) -> None:
    """Runtimes ignore global PAX headers, other readers do not: one that matters is refused."""
    if any(key in _RENAMING or key.startswith(b"GNU.sparse.") for key in parse_pax(body)):
        raise LayerMalformed("A layer holds a global PAX header that renames or resizes entries.")


def _is_end(block: bytes, stream: Stream) -> bool:
    """Whether the archive ends here: by two blocks of zeros, or, as some writers leave it, by nothing."""
    if not block:
        return True
    if len(block) < BLOCK:
        raise LayerTruncated("A layer ends in the middle of a header.")
    if block != _ZEROS:
        return False
    if stream.read_up_to(BLOCK).strip(b"\0"):
        raise LayerMalformed("A layer holds a single block of zeros between two entries.")
    return True


class _Reader:
    """Reads the bodies of what is kept."""

    def __init__(self, stream: Stream, keep: Keep, limits: Limits) -> None:
        self._stream = stream
        self._keep = keep
        self._bound = limits.special_header
        self._filler = Filler(limits.holes)

    def entry(self, member: _Member) -> Entry:
        """The entry whose body lies ahead; leaves the stream after it."""
        kind = Kind.FILE if member.header.kind is Kind.SPARSE else member.header.kind
        path = normalise(member.name)
        begin = None if member.sparse or member.header.sparse else self._stream.position
        told = self._told(self._keep(path) if kind is Kind.FILE else None, member)
        link = member.link.decode("utf-8", "surrogateescape")
        return Entry(kind, path, link, told.size, told.body, told.problem, begin)

    def _told(self, wish: Wish | None, member: _Member) -> "_Told":
        stream, size, sparse = self._stream, member.size, None
        if member.header.sparse:
            sparse = read_gnu_map(member.header.sparse, stream, size, self._bound)
        end = stream.position + size + -size % BLOCK
        if member.sparse:
            sparse = read_pax_map(member.sparse, stream, size, self._bound)
        if wish is None:
            told = _Told(size, None)
        elif sparse:
            told = _read(wish, sparse.size, Stream(self._filler.fill(sparse, stream)))
        else:
            told = _read(wish, size, stream)
        stream.skip(end - stream.position)
        return told


class _Told(msgspec.Struct, frozen=True):
    """What was read of a file of `size` bytes: what is kept of it is `body`."""

    size: int
    body: bytes | None
    problem: str = ""


def _read(wish: Wish, size: int, stream: Stream) -> _Told:
    if isinstance(wish, Essence):
        return _essence(wish, size, stream)
    if isinstance(wish, Glance):
        return _glance(wish, size, stream)
    return _Told(size, stream.read(min(wish, size)))


def _essence(wish: Essence, size: int, stream: Stream) -> _Told:
    begin = stream.read(min(size, max(map(len, wish.begins), default=0)))
    if wish.begins and not begin.startswith(wish.begins):
        return _Told(size, None)
    if size > wish.largest:
        return _Told(size, None, f"It is larger than {wish.largest} bytes.")
    with SpooledTemporaryFile(_SPOOLED) as file:
        file.write(begin)
        for piece in stream.views(size - len(begin)):
            file.write(piece)
        file.seek(0)
        try:
            body = wish.extract(cast(BinaryIO, file))
        except NoEssence as problem:
            return _Told(size, None, str(problem))
    return _Told(size if body is None else len(body), body)


def _glance(wish: Glance, size: int, stream: Stream) -> _Told:
    begin = stream.read(min(size, max(map(len, wish.begins))))
    if not begin.startswith(wish.begins):
        return _Told(size, None)
    head = begin + stream.read(min(size, wish.head) - len(begin))
    parts = wish.choose(head, size)
    if not parts:
        return _Told(size, None)
    with Held(size) as held:
        held.add(0, [memoryview(head)])
        _hold(held, parts, stream, len(head))
        try:
            body = wish.extract(held)
        except NoEssence as problem:
            return _Told(size, None, str(problem))
    return _Told(size if body is None else len(body), body)


def _hold(held: Held, parts: Iterable[range], stream: Stream, at: int) -> None:
    """Holds these parts of a file of which `at` bytes were read."""
    for part in sorted(parts, key=lambda part: part.start):
        start, stop = max(part.start, at), min(part.stop, held.size)
        if start < stop:
            stream.skip(start - at)
            held.add(start, stream.views(stop - start))
            at = stop
