"""Layers that were read, kept in a folder, so that a layer that many images share is read once.

A file holds one layer, under a name made of its digest and of the versions of the analyzers that read it: what other
analyzers, or other versions of them, have read is never found. A file that can't be read is no more than a layer that
is not held. Several processes may share a folder.
"""

import hashlib
import json
import logging
import os
from array import array
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
from backports import zstd

from scanner.layers.layer import Change, Layer

log = logging.getLogger(__name__)

_OPTIONS: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}
_UNREADABLE = (OSError, zstd.ZstdError, msgspec.DecodeError, msgspec.ValidationError, ValueError)


class _Held(msgspec.Struct, frozen=True, array_like=True):
    digest: str
    size: int
    diff_id: str
    unpacked_size: int
    removed: tuple[str, ...]
    emptied: tuple[str, ...]
    changes: tuple[tuple[str, Change], ...]
    files: bytes
    directories: bytes
    weight: int
    key: bytes


class LayerCache:
    """The layers in `folder`, of `most` bytes at most; those that were used longest ago go first. Blocks."""

    def __init__(self, folder: Path, most: int, analyzers: Mapping[str, int]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._most = most
        self._readers = json.dumps(sorted(analyzers.items()))
        self._held = sum(size for _, size, _ in self._files())

    def get(self, digest: str) -> Layer | None:
        """The layer with a digest, as stored; None where it is not held."""
        path = self._path(digest)
        try:
            layer = _decode(path.read_bytes())
            os.utime(path)
        except FileNotFoundError:
            return None
        except _UNREADABLE as problem:
            log.warning("cached layer unreadable", extra={"file": path.name, "problem": type(problem).__name__})
            path.unlink(missing_ok=True)
            return None
        return layer if layer.digest == digest else None

    def put(self, layer: Layer) -> None:
        """Hold a layer, as far as there is room for it."""
        try:
            body = _encode(layer)
            if len(body) > self._most:
                return
            self._make_room(len(body))
            self._write(self._path(layer.digest), body)
            self._held += len(body)
        except UnicodeEncodeError:
            return  # a path in it is no text: it is read anew each time
        except OSError as problem:
            log.warning("layer not cached", extra={"problem": type(problem).__name__})

    def _path(self, digest: str) -> Path:
        return self._folder / hashlib.sha256(f"{digest}\n{self._readers}".encode()).hexdigest()

    def _write(self, path: Path, body: bytes) -> None:
        with NamedTemporaryFile(dir=self._folder, prefix="new-", delete=False) as file:
            try:
                file.write(body)
                file.close()
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _make_room(self, size: int) -> None:
        if self._held + size <= self._most:
            return
        files = sorted(self._files(), key=lambda file: file[0])
        self._held = sum(held for _, held, _ in files)
        for _, held, path in files:
            if self._held + size <= self._most:
                return
            path.unlink(missing_ok=True)
            self._held -= held

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each file was used last, its size, and where it is."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process removed it
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found


def _encode(layer: Layer) -> bytes:
    held = _Held(
        layer.digest,
        layer.size,
        layer.diff_id,
        layer.unpacked_size,
        layer.removed,
        layer.emptied,
        layer.changes,
        layer.files.tobytes(),
        layer.directories.tobytes(),
        layer.weight,
        layer.key,
    )
    return zstd.compress(msgspec.msgpack.encode(held), options=_OPTIONS)


def _decode(body: bytes) -> Layer:
    held = msgspec.msgpack.decode(zstd.decompress(body), type=_Held)
    return Layer(
        digest=held.digest,
        size=held.size,
        diff_id=held.diff_id,
        unpacked_size=held.unpacked_size,
        removed=held.removed,
        emptied=held.emptied,
        changes=held.changes,
        files=array("q", held.files),
        directories=array("q", held.directories),
        weight=held.weight,
        key=held.key,
    )
