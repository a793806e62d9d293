"""Finding an image in an archive: an OCI image layout, or what `docker save` writes.

Formats: OCI image specification, image-layout.md; moby, image/spec/spec.md, "Combined Image JSON + Filesystem Changeset
Format". Where an archive is both, the layout counts, whose digests are those of a registry.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from chassis.errors import Refusal
from registry.manifests import LARGEST, OCI_INDEX, OCI_MANIFEST, Descriptor, Index, parse_manifest

from scanner.archives.archive import Archive
from scanner.errors import ImageArchiveBroken, ImageArchiveUnclear

_INDEX, _SAVED = "index.json", "manifest.json"
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """An image in an archive. `paths` are where blobs lie that do not lie at their usual places, by digest; `made` is
    the manifest that was made for an image which had none.
    """

    digest: str
    archive: Archive
    paths: Mapping[str, str] = field(default_factory=dict)
    made: bytes | None = None

    def path(self, digest: str) -> str:
        """Where a blob or manifest lies."""
        return self.paths.get(digest) or f"blobs/{digest.replace(':', '/', 1)}"


class _Saved(msgspec.Struct, frozen=True):
    """An image in the list that `docker save` writes."""

    Config: str
    Layers: Annotated[tuple[str, ...], msgspec.Meta(max_length=1000)]
    RepoTags: tuple[str, ...] | None = None


def find_image(archive: Archive, wanted: str) -> ArchivedImage:
    """The image of a name or digest; without one, the only one. Blocks; made for a thread.

    Raises ImageArchiveBroken, ImageArchiveUnclear, ArchiveIncomplete and LimitExceeded.
    """
    if archive.holds(_INDEX):
        return _in_layout(archive, wanted)
    if archive.holds(_SAVED):
        return _as_saved(archive, wanted)
    raise ImageArchiveBroken(f"It is no archive of an image: it has neither {_INDEX} nor {_SAVED} at its root.")


def _in_layout(archive: Archive, wanted: str) -> ArchivedImage:
    try:
        index = parse_manifest(OCI_INDEX, archive.read(_INDEX, LARGEST))
    except Refusal as refusal:
        raise ImageArchiveBroken(f"The archive's {_INDEX} can't be read: {refusal.message}") from refusal
    descriptors = index.manifests if isinstance(index, Index) else ()
    choices: dict[str, list[str]] = {one.digest: [one.digest, *_names(one)] for one in descriptors}
    return ArchivedImage(_chosen(choices, wanted), archive)


def _names(descriptor: Descriptor) -> list[str]:
    return [descriptor.annotations[name] for name in _NAMES if name in descriptor.annotations]


def _chosen(choices: Mapping[str, Sequence[str]], wanted: str) -> str:
    """The one that has the wanted name, or the only one."""
    fitting = [key for key, names in choices.items() if not wanted or wanted in names]
    if len(fitting) == 1:
        return fitting[0]
    named = ", ".join(names[-1] for names in list(choices.values())[:_SHOWN]) or "none"
    said = f"{len(fitting)} of them are called {wanted!r}" if wanted else "it is not said which one is meant"
    raise ImageArchiveUnclear(f"Of the images in the archive ({named[:2000]}), {said}.", field="header.image")


def _as_saved(archive: Archive, wanted: str) -> ArchivedImage:
    try:
        listed = msgspec.json.decode(archive.read(_SAVED, LARGEST), type=tuple[_Saved, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ImageArchiveBroken(f"The archive's {_SAVED} can't be read: {problem}.") from problem
    choices = {str(place): [one.Config, *(one.RepoTags or ())] for place, one in enumerate(listed)}
    return _made(archive, listed[int(_chosen(choices, wanted))])


def _made(archive: Archive, saved: _Saved) -> ArchivedImage:
    """Give an image a manifest that has none: always the same one, by the bytes of its parts."""
    paths: dict[str, str] = {}

    def described(media_type: str, path: str) -> Mapping[str, Any]:
        digest = _digest(archive, path)
        paths[digest] = path
        return {"mediaType": media_type, "digest": digest, "size": archive.size(path)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(_DOCKER_CONFIG, saved.Config),
        "layers": [described(_DOCKER_LAYER, path) for path in saved.Layers],
    }
    made = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    return ArchivedImage(f"sha256:{hashlib.sha256(made).hexdigest()}", archive, paths, made)


def _digest(archive: Archive, path: str) -> str:
    digest = hashlib.sha256()
    for piece in archive.pieces(path):
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"
