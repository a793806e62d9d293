"""Reads an image from its registry: which manifests it consists of, and whether the tag beside the digest is right."""

from dataclasses import dataclass
from typing import Final, Protocol

from registry.digests import Digest
from registry.manifests import Descriptor, ImageManifest, Index, is_artifact, is_never_run
from registry.references import Reference

from signer.errors import DigestRequired, ImageUnsupported, TagMoved

_MAX_DEPTH: Final = 3
_MAX_PARTS: Final = 100
_MAX_READ: Final = 400  # manifests: each platform with what is attached to it, and then some


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as the registry holds it, its bytes checked against its digest."""

    digest: Digest
    media_type: str
    size: int
    content: ImageManifest | Index


class ImageRegistry(Protocol):
    """What the signer reads from. `repository` is `host/repository`; refusals of the registry library pass through."""

    async def resolve(self, repository: str, tag: str) -> Digest:
        """Return the digest that a tag points at now. Raises ImageNotFound."""
        ...

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Return a manifest. Raises ImageNotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A manifest that is signed: the image itself, or a platform of an index. `platform` is empty where not stated."""

    digest: Digest
    media_type: str
    size: int
    platform: str

    def descriptor(self) -> dict[str, object]:
        """Return the descriptor by which a referrer names this manifest."""
        return {"mediaType": self.media_type, "size": self.size, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Image:
    """An image of `host/repository`: the manifest or index asked for, then every platform manifest of an index."""

    repository: str
    parts: tuple[Part, ...]

    def name_of(self, digest: str) -> str:
        """Return how a person is told of one of the parts."""
        platforms = [part.platform for part in self.parts if part.digest == digest and part.platform]
        return f"{digest} ({platforms[0]})" if platforms else digest


class Images:
    """Reads images."""

    def __init__(self, registry: ImageRegistry) -> None:
        self._registry = registry

    async def read(self, reference: Reference) -> Image:
        """Return the image of a reference, which must have a digest.

        Raises DigestRequired, ImageNotFound, TagMoved, ImageUnsupported, and what the registry library refuses.
        """
        digest = _demand_digest(reference)
        await self._demand_tag(reference, digest)
        root = await self._registry.manifest(reference.name, digest)
        parts = [_part(root, "")]
        if isinstance(root.content, Index):
            await self._collect(reference.name, root.content, parts, {digest}, depth=1)
            if len(parts) == 1:
                raise ImageUnsupported(f"{reference} is an index without a platform manifest.")
        elif is_artifact(root.content):
            raise ImageUnsupported(f"{reference} is no image: none of its layers is an image layer.")
        return Image(reference.name, tuple(parts))

    async def _demand_tag(self, reference: Reference, digest: Digest) -> None:
        if reference.tag is None:
            return
        now = await self._registry.resolve(reference.name, reference.tag)
        if now != digest:
            raise TagMoved(
                f"{reference.name}:{reference.tag} points at {now} now, not at {digest}.",
                metadata={"tag": reference.tag, "digest": now},
            )

    async def _collect(self, repository: str, index: Index, parts: list[Part], read: set[Digest], depth: int) -> None:
        for entry in index.manifests:
            if entry.digest in read:
                continue
            if len(parts) >= _MAX_PARTS:
                raise ImageUnsupported(f"The index has more than {_MAX_PARTS - 1} platform manifests.")
            if len(read) >= _MAX_READ:
                raise ImageUnsupported(f"The index has more than {_MAX_READ - 1} manifests in it.")
            read.add(entry.digest)
            manifest = await self._registry.manifest(repository, entry.digest)
            if isinstance(manifest.content, ImageManifest):
                if not is_never_run(manifest.content, entry.platform):
                    parts.append(_part(manifest, _platform(entry)))
            elif depth < _MAX_DEPTH:
                await self._collect(repository, manifest.content, parts, read, depth + 1)
            else:
                raise ImageUnsupported(f"The index holds indexes more than {_MAX_DEPTH} deep.")


def _demand_digest(reference: Reference) -> Digest:
    if reference.digest is None:
        raise DigestRequired(
            f"{reference} has no digest, and a tag may point elsewhere tomorrow: name the image by its digest.",
            field="image",
        )
    return reference.digest


def _part(manifest: Manifest, platform: str) -> Part:
    return Part(manifest.digest, manifest.media_type, manifest.size, platform)


def _platform(entry: Descriptor) -> str:
    if entry.platform is None:
        return ""
    parts = (entry.platform.os, entry.platform.architecture, entry.platform.variant)
    return "/".join(part for part in parts if part)
