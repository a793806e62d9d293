"""Manifests and indexes of OCI 1.0 and 1.1, and of Docker's schema 2, read strictly and within bounds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chassis.errors import FailedPrecondition

from registry.digests import Digest, InvalidDigest, parse_digest

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPTED: Final = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
LARGEST: Final = 4 << 20
_MOST_DESCRIPTORS: Final = 1000
_DEEPEST: Final = 16
_MOST_VALUES: Final = 100_000
_LARGEST_SIZE: Final = 1 << 50
_LONGEST_WORD: Final = 255
_MEMBERS: Final = frozenset(
    [
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
        "digest",
        "size",
        "urls",
        "data",
        "platform",
        "os",
        "architecture",
        "variant",
    ]
)
_FOLDED: Final = frozenset(name.casefold() for name in _MEMBERS)
_LAYER_PREFIXES: Final = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
)
_CONFIG_PREFIXES: Final = ("application/vnd.oci.image.", "application/vnd.docker.")
_CONFIG_TYPES: Final = frozenset(["application/octet-stream", "application/json", "text/html", ""])
"""What registries of old answered for an image's configuration, and Docker takes for one to this day."""
_FOREIGN_PREFIXES: Final = (
    "application/vnd.oci.image.layer.nondistributable.",
    "application/vnd.docker.image.rootfs.foreign.",
)


class UnsupportedManifest(FailedPrecondition):
    """The manifest is of a kind that is not read here, such as Docker's schema 1."""


class InvalidManifest(FailedPrecondition):
    """The manifest breaks its format or a bound."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a manifest runs on."""

    os: str
    architecture: str
    variant: str = ""


_NO_PLATFORM: Final = Platform("unknown", "unknown")
"""What build tools name as the platform of attestations, and no machine is of."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Where a blob or manifest is, and how large (bytes, as claimed)."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """A manifest of one image or artifact."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Index:
    """An index of manifests, commonly one for each platform."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


def is_image_layer(media_type: str) -> bool:
    """Tell whether a layer of this media type is part of a file system that a runtime would unpack."""
    return media_type.startswith(_LAYER_PREFIXES)


def is_artifact(manifest: ImageManifest) -> bool:
    """Tell whether a manifest has layers, and none that is part of an image by its media type."""
    return bool(manifest.layers) and not any(is_image_layer(layer.media_type) for layer in manifest.layers)


def is_never_run(manifest: ImageManifest, named: Platform | None) -> bool:
    """Tell whether no runtime runs this manifest of an index, which names it as of the platform `named`.

    The media types of layers alone do not say so: some runtimes unpack whatever lies beneath an image's configuration.
    Their choice of the platform, or the type of the configuration, must rule it out as well.
    """
    return is_artifact(manifest) and (named == _NO_PLATFORM or not _is_image_config(manifest.config.media_type))


def _is_image_config(media_type: str) -> bool:
    folded = media_type.partition(";")[0].strip().casefold()
    return folded.startswith(_CONFIG_PREFIXES) or folded in _CONFIG_TYPES


def is_foreign_layer(media_type: str) -> bool:
    """Tell whether registries may leave out a layer of this media type, for runtimes to fetch from elsewhere."""
    return media_type.startswith(_FOREIGN_PREFIXES)


def parse_manifest(media_type: str, body: bytes) -> ImageManifest | Index:
    """Read a manifest as what its Content-Type says. Raises UnsupportedManifest, InvalidManifest."""
    kind = media_type.partition(";")[0].strip()
    if kind not in ACCEPTED:
        raise UnsupportedManifest(f"The manifest is of the type {kind[:100]!r}; OCI's and Docker's schema 2 are read.")
    content = _strict_object(body)
    _demand_spelling(content)
    if content.get("schemaVersion") != 2 or content.get("mediaType", kind) != kind:  # noqa: PLR2004  # the format's number
        raise InvalidManifest("The manifest's schemaVersion or mediaType is not what its Content-Type says.")
    index = kind in {OCI_INDEX, DOCKER_LIST}
    if ("manifests" in content) != index or (index and ("layers" in content or "config" in content)):
        raise InvalidManifest("The manifest mixes the members of an image and of an index.")
    shared: dict[str, Any] = {
        "artifact_type": _word(content.get("artifactType", "")),
        "subject": _descriptor(content["subject"]) if content.get("subject") is not None else None,
        "annotations": _annotations(content.get("annotations")),
    }
    if index:
        return Index(kind, _descriptors(content["manifests"]), **shared)
    if "config" not in content or "layers" not in content:
        raise InvalidManifest("The image manifest lacks its config or its layers.")
    return ImageManifest(kind, _descriptor(content["config"]), _descriptors(content["layers"]), **shared)


def _strict_object(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST:
        raise InvalidManifest(f"The manifest is larger than {LARGEST} bytes.")
    if sum(body.count(mark) for mark in b"[{,") > _MOST_VALUES:  # each value takes far more memory than bytes
        raise InvalidManifest(f"The manifest holds more than {_MOST_VALUES} values.")
    try:
        content = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is no text that could be stored
    except (ValueError, RecursionError) as error:
        raise InvalidManifest("The manifest is no JSON that can be read in one way only.") from error
    if not isinstance(content, dict) or _depth(content) > _DEEPEST:
        raise InvalidManifest("The manifest is no JSON object, or nested too deep.")
    return content


def _demand_spelling(item: dict[str, Any]) -> None:
    """Refuse `Layers` for `layers`: readers written in Go, containerd among them, take both for the same member."""
    odd = next((name for name in item if name not in _MEMBERS and name.casefold() in _FOLDED), None)
    if odd is not None:
        raise InvalidManifest(f"The member {odd!a} differs from one of the format in upper and lower case alone.")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        deepest = max(deepest, depth)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting.extend((below, depth + 1) for below in inner)
    return deepest


def _descriptors(value: Any) -> tuple[Descriptor, ...]:
    if not isinstance(value, list) or len(value) > _MOST_DESCRIPTORS:
        raise InvalidManifest(f"The manifest's list is none, or has more than {_MOST_DESCRIPTORS} entries.")
    return tuple(_descriptor(item) for item in value)


def _descriptor(value: Any) -> Descriptor:
    if not isinstance(value, dict):
        raise InvalidManifest("A descriptor of the manifest is no object.")
    _demand_spelling(value)
    size = value.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LARGEST_SIZE:
        raise InvalidManifest("A descriptor's size is no number of bytes.")
    try:
        digest = parse_digest(_text(value.get("digest", "")))
    except InvalidDigest as refusal:
        raise InvalidManifest(f"In a descriptor: {refusal.message}") from None
    return Descriptor(
        media_type=_word(value.get("mediaType", "")),
        digest=digest,
        size=size,
        annotations=_annotations(value.get("annotations")),
        artifact_type=_word(value.get("artifactType", "")),
        platform=_platform(value.get("platform")),
    )


def _platform(value: Any) -> Platform | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidManifest("A descriptor's platform is no object.")
    _demand_spelling(value)
    return Platform(*(_word(value.get(name, "")) for name in ("os", "architecture", "variant")))


def _annotations(value: Any) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidManifest("The annotations are no object.")
    return {name: _text(text) for name, text in value.items()}


def _word(value: Any) -> str:
    """A media type (RFC 6838 has 127 characters on each side of its slash) or the name of a platform."""
    word = _text(value)
    if len(word) > _LONGEST_WORD:
        raise InvalidManifest(f"The manifest holds a type or platform of more than {_LONGEST_WORD} characters.")
    return word


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidManifest("The manifest holds something else where a text belongs.")
    return value
