"""Layers and images, made without a container engine: tar archives, gzip and JSON.

Format: OCI image specification 1.1.
"""

import gzip
import hashlib
import io
import json
import platform
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest_of(content: bytes) -> str:
    """The digest: `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as it is stored, and the digest of the archive in it."""

    blob: bytes
    diff_id: str


@dataclass(frozen=True, slots=True)
class Image:
    """Everything that is pushed of an image."""

    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest: the image's name."""
        return digest_of(self.manifest)


def layer(files: Mapping[str, bytes]) -> Layer:
    """A layer of files, by path; the same files always give the same bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed(stream.getvalue())


def packed(archive: bytes) -> Layer:
    """The layer of a tar archive."""
    return Layer(gzip.compress(archive, compresslevel=1, mtime=0), digest_of(archive))


def wheel_files(wheels: Sequence[Path], folder: str) -> dict[str, bytes]:
    """What installing these wheels into a folder of the image leaves there, by path."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            files |= {f"{folder}/{name}": archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return files


def image(*layers: Layer) -> Image:
    """An image of these layers, the base first, for the kind of machine that this is."""
    config = _json(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config),
        "layers": [_descriptor(LAYER, one.blob) for one in layers],
    }
    return Image(layers, config, _json(manifest))


def _descriptor(media_type: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
