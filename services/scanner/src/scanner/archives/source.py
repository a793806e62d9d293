"""The port Source over an archive: an image is read from it as from a registry."""

import hashlib
from collections.abc import AsyncIterator

import msgspec
from chassis.workers import Workers
from registry.manifests import LARGEST, OCI_INDEX, OCI_MANIFEST, ImageManifest, Index, parse_manifest

from scanner.archives.layout import ArchivedImage
from scanner.failures import DigestMismatch, UnsupportedManifest


class _Kind(msgspec.Struct, frozen=True):
    mediaType: str = ""  # noqa: N815  # the format's word
    manifests: msgspec.Raw = msgspec.Raw(b"")


class ArchiveSource:
    """Implements the port Source. Raises ArchiveIncomplete for what the archive does not hold."""

    def __init__(self, image: ArchivedImage, workers: Workers) -> None:
        self._image = image
        self._workers = workers

    async def manifest(self, repository: str, digest: str) -> ImageManifest | Index:
        """Read a manifest or index, verified."""
        made = self._image.made if digest == self._image.digest else None
        body = made or await self.blob(repository, digest, LARGEST)
        return parse_manifest(_media_type(body), body)

    async def blob(self, repository: str, digest: str, size: int) -> bytes:
        """Read a small blob of at most this size in bytes, verified."""
        body = await self._workers.run(self._image.archive.read, self._image.path(digest), size)
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise DigestMismatch(f"What lies in the archive as {digest} has another digest.")
        return body

    async def stream(self, repository: str, digest: str, size: int) -> AsyncIterator[bytes]:
        """Stream a blob of this size in bytes. It is for the reader to verify."""
        path = self._image.path(digest)
        held = self._image.archive.size(path)
        if held != size:
            raise DigestMismatch(f"What lies in the archive as {digest} has {held} bytes, not {size}.")
        pieces = self._image.archive.pieces(path)
        while (piece := await self._workers.run(next, pieces, None)) is not None:
            yield piece


def _media_type(body: bytes) -> str:
    """What a manifest says that it is; where it does not, what it has to be. parse_manifest refuses what is neither."""
    try:
        kind = msgspec.json.decode(body, type=_Kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise UnsupportedManifest(f"A manifest in the archive can't be read: {problem}.") from problem
    return kind.mediaType or (OCI_INDEX if kind.manifests else OCI_MANIFEST)
