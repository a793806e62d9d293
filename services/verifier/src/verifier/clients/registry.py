"""The registries, as the verifier asks them: absent is None, and every other failure a Rejection with its code."""

from collections.abc import Awaitable, Sequence
from typing import Final, Protocol, TypeVar

from chassis.errors import Refusal
from registry.client import RegistryClient
from registry.digests import Digest
from registry.errors import (
    BlobNotFound,
    BodyTooLarge,
    DigestMismatch,
    HostNotConfigured,
    ManifestNotFound,
)
from registry.manifests import Descriptor, ImageManifest, InvalidManifest, UnsupportedManifest, parse_manifest
from registry.references import Reference

from verifier.evidence.strict import malformed
from verifier.reasons import Code, Rejection

Result = TypeVar("Result")

_CODES: Final = {
    HostNotConfigured: Code.REGISTRY_NOT_ALLOWED,
    DigestMismatch: Code.DIGEST_MISMATCH,
    BodyTooLarge: Code.LIMIT_EXCEEDED,
}
"""What a registry's failures mean here; every other one is REGISTRY_UNAVAILABLE."""


class RequestMetrics(Protocol):
    """Counts requests to registries."""

    def requested(self, result: str) -> None:
        """A registry was asked; `result` is one of found, absent, failed."""


class Registries:
    """The Source of signatures and the Tags, over the registry library."""

    def __init__(self, client: RegistryClient, metrics: RequestMetrics) -> None:
        self._client = client
        self._metrics = metrics

    async def resolve(self, image: Reference) -> Digest:
        """The digest behind the image's tag."""
        if image.tag is None:
            raise Rejection(Code.INVALID_REFERENCE, f"{image.name} is named without a tag.")
        digest = await self._ask(self._client.resolve_tag(image.host, image.repository, image.tag))
        if digest is None:
            raise Rejection(Code.INVALID_REFERENCE, f"{image.name} has no tag {image.tag}.")
        return digest

    async def tagged(self, image: Reference, tag: str) -> tuple[Digest, ImageManifest] | None:
        """The manifest at a tag, and its digest."""
        fetched = await self._ask(self._client.get_manifest(image.host, image.repository, tag))
        return (fetched.digest, _image_manifest(fetched.media_type, fetched.body)) if fetched else None

    async def manifest(self, image: Reference, digest: Digest) -> ImageManifest | None:
        """The manifest of a digest."""
        fetched = await self._ask(self._client.get_manifest(image.host, image.repository, digest))
        return _image_manifest(fetched.media_type, fetched.body) if fetched else None

    async def blob(self, image: Reference, layer: Descriptor, most: int) -> bytes | None:
        """The bytes of a layer."""
        return await self._ask(self._client.read_blob(image.host, image.repository, layer.digest, most))

    async def referrers(self, image: Reference, digest: Digest) -> Sequence[Descriptor]:
        """The manifests that refer to a digest."""
        return await self._ask(self._client.list_referrers(image.host, image.repository, digest)) or ()

    async def _ask(self, request: Awaitable[Result]) -> Result | None:
        try:
            found = await request
        except (ManifestNotFound, BlobNotFound):
            self._metrics.requested("absent")
            return None
        except Refusal as refusal:
            self._metrics.requested("failed")
            code = _CODES.get(type(refusal), Code.REGISTRY_UNAVAILABLE)
            raise Rejection(code, refusal.message) from refusal
        self._metrics.requested("found")
        return found


def _image_manifest(media_type: str, body: bytes) -> ImageManifest:
    try:
        manifest = parse_manifest(media_type, body)
    except (InvalidManifest, UnsupportedManifest) as refusal:
        raise Rejection(Code.INVALID_SIGNATURE, refusal.message) from refusal
    if not isinstance(manifest, ImageManifest):
        raise malformed("an index stands in the place of its manifest")
    return manifest
