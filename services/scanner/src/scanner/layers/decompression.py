"""Decompressing a layer as it streams in.

Which form a layer has is told by its first bytes, never by its media type, which may lie. Gzip may have several members
(RFC 1952, section 2.2) and zstd several frames (RFC 8878, section 3): their contents are one after another.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from backports import zstd
from isal import igzip_lib

from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded
from scanner.layers.limits import Limits

BLOCK = 1 << 20
"""The most bytes that are decompressed at a time."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_UNKNOWN = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"\x04\x22\x4d\x18": "lz4"}
_LONGEST_MAGIC = 6
_FIRST_STEP = 4 * 2**10
"""The first bytes given to a decompressor, doubled each time: what it does not use is copied, for each member anew."""
_ISAL_ERROR: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # the stubs say it is an instance
_ZSTD_WINDOW_LOG = 27
"""Windows of up to 128 MiB, what the zstd tool accepts unless told otherwise."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


def decompress(chunks: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """The uncompressed bytes of a layer in blocks of at most BLOCK bytes.

    Raises LayerTruncated, LayerMalformed and LimitExceeded.
    """
    source = _Source(chunks, limits)
    magic = source.peek(_LONGEST_MAGIC)
    if magic.startswith(_GZIP):
        blocks = _members(source, _new_gzip, "gzip", limits)
    elif magic.startswith(_ZSTD) or magic[1:4] == _ZSTD_SKIPPABLE:
        blocks = _members(source, _new_zstd, "zstd", limits)
    else:
        _refuse_unknown(magic)
        blocks = iter(lambda: source.read(BLOCK), b"")
    return _bounded(blocks, source, limits)


class _Source:
    """The compressed bytes, counted, with a look ahead."""

    def __init__(self, chunks: Iterable[bytes], limits: Limits) -> None:
        self._chunks = (chunk for chunk in chunks if chunk)
        self._limit = limits.compressed
        self._chunk = b""
        self._at = 0
        self.count = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer than `size` only at the end; they stay to be read."""
        while len(self._chunk) - self._at < size and (chunk := self._pull()):
            self._chunk, self._at = self._chunk[self._at :] + chunk, 0
        return self._chunk[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """The next bytes, `size` at most; empty at the end alone."""
        if self._at == len(self._chunk):
            self._chunk, self._at = self._pull(), 0
        piece = self._chunk[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def give_back(self, count: int) -> None:
        """Takes back the last bytes of what was read last."""
        self._at -= count

    def _pull(self) -> bytes:
        chunk = next(self._chunks, b"")
        self.count += len(chunk)
        if self.count > self._limit:
            raise LimitExceeded(f"A layer has more than {self._limit} bytes as stored, the bound `compressed`.")
        return chunk


def _new_gzip() -> _Decompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _new_zstd() -> _Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


def _members(source: _Source, new: Callable[[], _Decompressor], form: str, limits: Limits) -> Iterator[bytes]:
    """The contents of every member; zeros after the last are padding, as gzip's own tool has it."""
    for _ in range(limits.members):
        yield from _member(source, new(), form)
        while source.peek(1) == b"\0":
            padding = source.read(BLOCK)
            source.give_back(len(padding.lstrip(b"\0")))
        if not source.peek(1):
            return
    raise LimitExceeded(f"A layer has more than {limits.members} {form} streams, the bound `members`.")


def _member(source: _Source, decompressor: _Decompressor, form: str) -> Iterator[bytes]:
    step = _FIRST_STEP
    while not decompressor.eof:
        chunk = source.read(step) if decompressor.needs_input else b""
        if not chunk and decompressor.needs_input:
            raise LayerTruncated(f"A layer's {form} stream ends before its end mark.")
        step = min(2 * step, BLOCK)
        try:
            block = decompressor.decompress(chunk, BLOCK)
        except (_ISAL_ERROR, zstd.ZstdError, OSError, ValueError) as problem:
            raise LayerMalformed(f"A layer's {form} stream is broken: {problem}.") from problem
        if block:
            yield block
    source.give_back(len(decompressor.unused_data))


def _refuse_unknown(magic: bytes) -> None:
    form = next((name for prefix, name in _UNKNOWN.items() if magic.startswith(prefix)), None)
    if form:
        raise LayerMalformed(f"A layer is compressed by {form}, which no container runtime unpacks.")


def _bounded(blocks: Iterator[bytes], source: _Source, limits: Limits) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limits.uncompressed:
            raise LimitExceeded(f"A layer has more than {limits.uncompressed} bytes, the bound `uncompressed`.")
        if size > limits.ratio_from and size > source.count * limits.ratio:
            raise LimitExceeded(f"A layer unpacks to more than {limits.ratio} times its size, the bound `ratio`.")
        yield block
