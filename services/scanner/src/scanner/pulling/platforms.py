"""Which manifests of an image a runtime could run, and on what."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from registry.manifests import Descriptor, ImageManifest, Index, Platform, is_artifact, is_image_layer, is_never_run

from scanner.failures import ArchiveIncomplete, LimitExceeded, UnsupportedManifest
from scanner.inventory.model import BaseClaim
from scanner.pulling.config import LARGEST, ImageConfig, parse_config
from scanner.pulling.registry import Source

MOST_MANIFESTS = 200
"""Manifests and indexes beneath one index."""
MOST_LAYERS = 2000
"""Different layers of an image, or beneath one index."""
DEEPEST = 3
"""Indexes within indexes."""

_BASE_NAME, _BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
_LONGEST_NAME = 500
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformManifest:
    """A manifest that a runtime could run; `platform` is `os/architecture` or `os/architecture/variant`.

    `base` is what it says it was built on.
    """

    platform: str
    digest: str
    config_digest: str
    config: ImageConfig
    layers: tuple[Descriptor, ...]
    base: BaseClaim


@dataclass(frozen=True, slots=True)
class Expansion:
    """What an image consists of: the manifests to read, and the platforms left out of them by choice.

    `absent` are those of an archive's index of which the archive does not hold the manifest.
    """

    manifests: tuple[PlatformManifest, ...]
    left_out: tuple[str, ...]
    absent: tuple[str, ...] = ()

    @property
    def layers(self) -> dict[str, Descriptor]:
        """Every layer of every manifest, each once, by its digest."""
        return {layer.digest: layer for manifest in self.manifests for layer in manifest.layers}


async def expand(source: Source, repository: str, digest: str, platforms: Sequence[str]) -> Expansion:
    """Find out what an image consists of. Of an index, only `platforms` are read, unless there are none.

    Nothing is left out by annotation or platform alone: only what consists of layers that no image has, as
    attestations do, and that runtimes pass over. Raises UnsupportedManifest, LimitExceeded and what the source raises.
    """
    top = await source.manifest(repository, digest)
    if isinstance(top, ImageManifest):
        if is_artifact(top):
            raise UnsupportedManifest("The manifest is of an artifact, not of an image: it has no layer of an image.")
        _demand_few(top.layers)
        return Expansion((await _read(source, repository, digest, top, None),), ())
    found: dict[str, PlatformManifest] = {}
    absent: list[str] = []
    async for manifest in _beneath(source, repository, top):
        if isinstance(manifest, Descriptor):
            absent.append(_named(manifest))
        else:
            found.setdefault(manifest.digest, manifest)
    _demand_few(layer for one in found.values() for layer in one.layers)
    chosen = [one for one in found.values() if not platforms or _is_among(one.platform, platforms)]
    left_out = tuple(one.platform for one in found.values() if one not in chosen)
    return Expansion(tuple(chosen), left_out, tuple(absent))


def _demand_few(layers: Iterable[Descriptor]) -> None:
    if len({layer.digest for layer in layers}) > MOST_LAYERS:
        raise LimitExceeded(f"The image has more than {MOST_LAYERS} layers, the bound `layers`.")


async def _beneath(source: Source, repository: str, top: Index) -> AsyncIterator[PlatformManifest | Descriptor]:
    """Every manifest beneath an index; of one that an archive does not hold, its descriptor."""
    waiting = [(descriptor, 1) for descriptor in reversed(top.manifests)]
    seen = 0
    while waiting:
        if seen + len(waiting) > MOST_MANIFESTS:
            raise LimitExceeded(f"The index holds more than {MOST_MANIFESTS} manifests, the bound `manifests`.")
        descriptor, depth = waiting.pop()
        seen += 1
        try:
            manifest = await source.manifest(repository, descriptor.digest)
        except ArchiveIncomplete:  # tools save the platforms that they have, beneath the index of all
            yield descriptor
            continue
        if isinstance(manifest, Index):
            if depth >= DEEPEST:
                raise LimitExceeded(f"The index holds indexes more than {DEEPEST} deep, the bound `nesting`.")
            waiting += [(child, depth + 1) for child in reversed(manifest.manifests)]
        elif not is_never_run(manifest, descriptor.platform):
            yield await _read(source, repository, descriptor.digest, manifest, descriptor.platform)


async def _read(
    source: Source, repository: str, digest: str, manifest: ImageManifest, named: Platform | None
) -> PlatformManifest:
    strange = next((one.media_type for one in manifest.layers if not is_image_layer(one.media_type)), None)
    if strange is not None:
        raise UnsupportedManifest(
            f"The image {digest} has a layer of the type {strange[:100]!r}, which is none of an image."
        )
    if manifest.config.size > LARGEST:
        raise LimitExceeded(f"The image's configuration is larger than {LARGEST} bytes, the bound `config`.")
    config = parse_config(await source.blob(repository, manifest.config.digest, manifest.config.size))
    if len(config.diff_ids) != len(manifest.layers):
        raise UnsupportedManifest(
            f"The image {digest} has {len(manifest.layers)} layers, but its configuration names {len(config.diff_ids)}."
        )
    layers = tuple(replace(layer, annotations={}) for layer in manifest.layers)  # those of 200 manifests would be much
    base = _base(manifest.annotations)
    return PlatformManifest(_platform(named, config), digest, manifest.config.digest, config, layers, base)


def _base(annotations: Mapping[str, str]) -> BaseClaim:
    """What an image says it was built on (OCI image specification, annotations.md); nonsense is left out."""
    name, digest = annotations.get(_BASE_NAME, ""), annotations.get(_BASE_DIGEST, "")
    return BaseClaim(
        name if len(name) <= _LONGEST_NAME and name.isprintable() else "", digest if _DIGEST.fullmatch(digest) else ""
    )


def _platform(named: Platform | None, config: ImageConfig) -> str:
    """What the index says that it runs on, else what it says itself."""
    if named and _UNKNOWN not in {named.os, named.architecture} and named.os and named.architecture:
        words = [named.os, named.architecture, named.variant]
    else:
        words = [config.os, config.architecture, config.variant]
    if words[1:] == ["arm64", "v8"]:
        words.pop()  # the only variant there is: runtimes take both spellings for the same
    return "/".join(word if _WORD.fullmatch(word) else _UNKNOWN for word in words if word or word is not words[-1])


def _named(descriptor: Descriptor) -> str:
    """A platform that was not read, as its index calls it."""
    named = descriptor.platform
    words = [named.os, named.architecture, named.variant] if named else []
    return f"{'/'.join(word for word in words if _WORD.fullmatch(word)) or 'A platform'} ({descriptor.digest})"


def _is_among(platform: str, platforms: Sequence[str]) -> bool:
    """Whether a platform was chosen: `linux/arm` chooses every variant of it."""
    return any(platform == one or platform.startswith(f"{one}/") for one in platforms)
