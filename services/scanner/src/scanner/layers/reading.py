"""Reading a layer: decompressed, walked and digested in one pass, in memory that does not grow with its size."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator

from scanner.failures import LayerMalformed, LimitExceeded
from scanner.layers.archive import Entry, walk
from scanner.layers.decompression import decompress
from scanner.layers.hashing import HashingThread
from scanner.layers.headers import Kind
from scanner.layers.layer import Change, File, HardLink, Layer, Other, Symlink
from scanner.layers.limits import Limits
from scanner.layers.paths import normalise
from scanner.layers.places import new_key, place
from scanner.layers.wishes import Keep

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_RESERVED = ".wh..wh."
_PER_NAME = 256
"""Bytes of memory that a name takes beside its letters, or a directory on the way to what is kept."""


def read_layer(chunks: Iterable[bytes], keep: Keep, limits: Limits) -> Layer:
    """Reads a layer as stored, to its last byte. Blocks; made for a thread.

    Raises LayerTruncated, LayerMalformed and LimitExceeded, and whatever `chunks` raises.
    """
    stored, unpacked = _Counted(), _Counted()
    record = _Record(keep, limits)
    with HashingThread() as hashing:
        blocks = unpacked.through(decompress(stored.through(chunks, hashing), limits), hashing)
        for entry in walk(blocks, keep, limits):
            record.add(entry)
        for _ in blocks:
            """What follows the archive's end mark is not looked at, but belongs to the digests."""
    return Layer(
        digest=stored.digest,
        size=stored.size,
        diff_id=unpacked.digest,
        unpacked_size=unpacked.size,
        removed=tuple(record.removed),
        emptied=tuple(record.emptied),
        changes=tuple(record.changes),
        files=record.files,
        directories=record.directories,
        weight=record.weight,
        key=record.key,
    )


class _Counted:
    """Counts and digests the bytes that pass."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"

    def through(self, blocks: Iterable[bytes], hashing: HashingThread) -> Iterator[bytes]:
        for block in blocks:
            self.size += len(block)
            hashing.update(self._sha256, block)
            yield block


class _Record:
    """What is kept of the entries.

    Whiteouts (OCI image specification, layer.md, "Whiteouts") count for lower layers only, wherever they stand.
    """

    def __init__(self, keep: Keep, limits: Limits) -> None:
        self._keep = keep
        self._limits = limits
        self._kept = self._names = 0
        self.key = new_key()
        self._touched: set[int] = set()
        """The places of what is kept, and of the directories above."""
        self.removed: list[str] = []
        self.emptied: list[str] = []
        self.changes: list[tuple[str, Change]] = []
        self.files = array("q")
        self.directories = array("q")

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return self._kept + self._names + self.files.itemsize * (len(self.files) + len(self.directories))

    def add(self, entry: Entry) -> None:
        """Takes up an entry of the archive."""
        parent, _, name = entry.path.rpartition("/")
        if name.startswith(_WHITEOUT):
            self._add_whiteout(parent, name)
        elif not name:
            return  # the root itself, which is always there
        elif entry.kind is Kind.DIRECTORY:
            self._add_other(entry.path, Other.DIRECTORY, self.directories)
        elif (change := self._change(entry)) is not None:
            self._add_change(entry.path, change)
        else:
            self._add_other(entry.path, Other.FILE, self.files)

    def _change(self, entry: Entry) -> Change | None:
        if entry.kind is Kind.SYMBOLIC_LINK:
            return Symlink(entry.link)
        if entry.kind is Kind.HARD_LINK:
            return self._hard_link(entry)
        if entry.kind is Kind.FILE and (entry.body is not None or entry.problem):
            return File(entry.body, entry.size, entry.problem)
        return None

    def _hard_link(self, entry: Entry) -> HardLink | None:
        wish = self._keep(entry.path)
        if wish is None:
            return None
        return HardLink(normalise(entry.link), not isinstance(wish, int) and wish.is_told_by_content)

    def _add_whiteout(self, parent: str, name: str) -> None:
        hidden = name.removeprefix(_WHITEOUT)
        if name == _OPAQUE:
            self._count_name(parent)
            self.emptied.append(parent)
        elif name.startswith(_RESERVED):
            return  # of the layer's maker, for itself: runtimes leave it out
        elif hidden in {"", ".", ".."}:
            raise LayerMalformed("A layer holds a whiteout that names no file.")
        else:
            self._count_name(parent + hidden)
            self.removed.append(f"{parent}/{hidden}" if parent else hidden)

    def _add_change(self, path: str, change: Change) -> None:
        self._count_name(path)
        if isinstance(change, Symlink | HardLink):
            self._count_name(change.target)
        if isinstance(change, File):
            self._kept += len(change.body or b"")
            if self._kept > self._limits.kept:
                raise LimitExceeded(f"A layer holds more than {self._limits.kept} bytes to keep, the bound `kept`.")
        self.changes.append((path, change))
        while path and (at := place(path, self.key)) not in self._touched:
            self._touched.add(at)
            self._count_name("")
            path = path.rpartition("/")[0]

    def _add_other(self, path: str, change: Other, places: "array[int]") -> None:
        at = place(path, self.key)
        places.append(at)
        if at in self._touched:
            self.changes.append((path, change))

    def _count_name(self, name: str) -> None:
        self._names += len(name) + _PER_NAME
        if self._names > self._limits.names:
            raise LimitExceeded(f"A layer holds more than {self._limits.names} bytes of names, the bound `names`.")
