"""Walking a tar archive as it streams in: every header is read, bodies are skipped unless they are asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded
from scanner.layers.headers import BLOCK, Header, Kind, parse_header, parse_pax, pax_number
from scanner.layers.limits import Limits
from scanner.layers.paths import normalise
from scanner.layers.wishes import Essence, Keep, NoEssence, Wish

_ZEROS = bytes(BLOCK)
_SPARSE_VERSIONS = {(b"1", b"0"), (b"0", b"1"), (b"0", b"0")}
_RENAMING = (b"path", b"linkpath", b"size")
_SPOOLED = 16 * 2**20
"""Bytes of a file that are held in memory while its essence is made out; of a larger one, all lie on disk."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of the archive. `kind` is never one of the kinds that only describe the next entry.

    `path` is normalised, `link` as it stands there. Of a file that is kept, `body` has its first bytes, as many as
    asked for, or its essence; it is None for other files, and where it can't be had, which `problem` then says in a
    sentence. `size` is the size of the body as archived, or of the essence.
    """

    kind: Kind
    path: str
    link: str
    size: int
    body: bytes | None
    problem: str = ""


def walk(blocks: Iterable[bytes], keep: Keep, limits: Limits) -> Iterator[Entry]:
    """The members of an archive in their order; what follows its end mark is left in `blocks`.

    Raises LayerTruncated, LayerMalformed and LimitExceeded.
    """
    stream = _Stream(blocks)
    described = _Description()
    for _ in range(limits.members):
        block = stream.read_up_to(BLOCK)
        if _is_end(block, stream):
            described.expect_none()
            return
        header = parse_header(block)
        if described.take(header, stream, limits):
            continue
        yield _entry(described.apply(header, limits), stream, keep)
        described = _Description()
    raise LimitExceeded(f"A layer has more than {limits.members} entries, the bound `members`.")


@dataclass(frozen=True, slots=True)
class _Member:
    """A header with all that described it."""

    header: Header
    name: bytes
    link: bytes
    size: int
    sparse: bool


class _Stream:
    """Exact reads over blocks of any size."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._block = b""
        self._at = 0

    def read_up_to(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        data = self._block[self._at : self._at + size]
        self._at += len(data)
        while len(data) < size and self._advance():
            piece = self._block[: size - len(data)]
            self._at = len(piece)
            data += piece
        return data

    def read(self, size: int) -> bytes:
        """The next bytes. Raises LayerTruncated where there are fewer."""
        data = self.read_up_to(size)
        if len(data) < size:
            raise LayerTruncated("A layer ends in the middle of an entry.")
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next bytes, in pieces as they come. Raises LayerTruncated where there are fewer."""
        while size:
            if self._at == len(self._block) and not self._advance():
                raise LayerTruncated("A layer ends in the middle of an entry.")
            piece = self._block[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def skip(self, size: int) -> None:
        """Leaves out the next bytes. Raises LayerTruncated where there are fewer."""
        while size > len(self._block) - self._at:
            size -= len(self._block) - self._at
            if not self._advance():
                raise LayerTruncated("A layer ends in the middle of an entry.")
        self._at += size

    def _advance(self) -> bool:
        self._block, self._at = next(self._blocks, b""), 0
        return bool(self._block)


class _Description:
    """What comes before an entry's own header and adds to it: a PAX header, GNU long names."""

    def __init__(self) -> None:
        self._parts: dict[Kind, bytes] = {}

    def take(self, header: Header, stream: _Stream, limits: Limits) -> bool:
        """Takes up the header if it describes another one. Of two alike, readers differ on which counts."""
        if header.kind not in {Kind.PAX, Kind.PAX_GLOBAL, Kind.LONG_NAME, Kind.LONG_LINK}:
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
            return _Member(header, header.name, header.link, header.size, header.kind is Kind.SPARSE)
        records = parse_pax(self._parts.get(Kind.PAX, b""))
        sparse = header.kind is Kind.SPARSE or _is_sparse(records)
        name = _one_of(records.get(b"path"), self._parts.get(Kind.LONG_NAME)) or header.name
        link = _one_of(records.get(b"linkpath"), self._parts.get(Kind.LONG_LINK)) or header.link
        if _is_sparse(records):
            name = records.get(b"GNU.sparse.name") or name
        if max(len(name), len(link)) > limits.path:
            raise LimitExceeded(f"A layer holds a path of more than {limits.path} bytes, the bound `path`.")
        if b"\0" in name or b"\0" in link:
            raise LayerMalformed("A layer holds a path with a NUL in it.")
        size = records.get(b"size")
        counts = header.kind in {Kind.FILE, Kind.SPARSE}
        return _Member(header, name, link, pax_number(size, "size") if size and counts else header.size, sparse)


def _one_of(pax: bytes | None, gnu: bytes | None) -> bytes | None:
    if pax and gnu is not None:
        raise LayerMalformed("A layer holds an entry with both a PAX header and a GNU long name.")
    return pax or (gnu.partition(b"\0")[0] if gnu is not None else None)


def _is_sparse(records: dict[bytes, bytes]) -> bool:
    """Whether PAX records describe a sparse file, in one of GNU tar's formats 0.0, 0.1 and 1.0."""
    if not any(key.startswith(b"GNU.sparse.") for key in records):
        return False
    version = records.get(b"GNU.sparse.major"), records.get(b"GNU.sparse.minor")
    unversioned = version == (None, None) and (b"GNU.sparse.map" in records or b"GNU.sparse.numblocks" in records)
    if version not in _SPARSE_VERSIONS and not unversioned:
        raise LayerMalformed("A layer holds a sparse file of an unknown format.")
    return True


def _check_global(body: bytes) -> None:
    """Runtimes ignore global PAX headers, other readers do not: one that matters is refused."""
    if any(key in _RENAMING or key.startswith(b"GNU.sparse.") for key in parse_pax(body)):
        raise LayerMalformed("A layer holds a global PAX header that renames or resizes entries.")


def _is_end(block: bytes, stream: _Stream) -> bool:
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


def _entry(member: _Member, stream: _Stream, keep: Keep) -> Entry:
    kind = Kind.FILE if member.header.kind is Kind.SPARSE else member.header.kind
    path = normalise(member.name)
    extended = member.header.kind is Kind.SPARSE and member.header.extended
    while extended:
        extended = stream.read(BLOCK)[504] != 0
    told = _told(keep(path) if kind is Kind.FILE else None, member, stream)
    stream.skip(member.size - told.taken + -member.size % BLOCK)
    link = member.link.decode("utf-8", "surrogateescape")
    return Entry(kind, path, link, told.size, told.body, told.problem)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was read of a body: `taken` bytes, of which `body` is left, of `size` in all."""

    taken: int
    size: int
    body: bytes | None
    problem: str = ""


def _told(wish: Wish | None, member: _Member, stream: _Stream) -> _Told:
    if wish is None or (isinstance(wish, Essence) and member.sparse and wish.begins):
        return _Told(0, member.size, None)
    if member.sparse:
        return _Told(0, member.size, None, "It is a sparse file.")
    if isinstance(wish, Essence):
        return _essence(wish, member.size, stream)
    body = stream.read(min(wish, member.size))
    return _Told(len(body), member.size, body)


def _essence(wish: Essence, size: int, stream: _Stream) -> _Told:
    begin = stream.read(min(size, max(map(len, wish.begins), default=0)))
    if wish.begins and not begin.startswith(wish.begins):
        return _Told(len(begin), size, None)
    if size > wish.largest:
        return _Told(len(begin), size, None, f"It is larger than {wish.largest} bytes.")
    with SpooledTemporaryFile(_SPOOLED) as file:
        file.write(begin)
        for piece in stream.pieces(size - len(begin)):
            file.write(piece)
        file.seek(0)
        try:
            body = wish.extract(cast(BinaryIO, file))
        except NoEssence as problem:
            return _Told(size, size, None, str(problem))
    return _Told(size, size if body is None else len(body), body)
