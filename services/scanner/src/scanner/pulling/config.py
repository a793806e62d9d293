"""An image's configuration, as far as a scan needs it. Format: OCI image specification, config.md."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from registry.digests import Digest, InvalidDigest, parse_digest

from scanner.failures import UnsupportedManifest

LARGEST = 8 * 2**20
"""Bytes of a configuration."""


class _RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] = ()


_Word = Annotated[str, msgspec.Meta(max_length=255)]


class _Config(msgspec.Struct, frozen=True):
    os: _Word = ""
    architecture: _Word = ""
    variant: _Word = ""
    created: str | None = None
    rootfs: _RootFs | None = None


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says of itself. `diff_ids` are the digests of its unpacked layers, the base first."""

    os: str
    architecture: str
    variant: str
    created: datetime | None
    diff_ids: tuple[Digest, ...]


def parse_config(body: bytes) -> ImageConfig:
    """Read a configuration. Raises UnsupportedManifest."""
    try:
        config = msgspec.json.decode(body, type=_Config)
        diff_ids = tuple(map(parse_digest, config.rootfs.diff_ids if config.rootfs else ()))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidDigest) as problem:
        raise UnsupportedManifest(f"The image's configuration can't be read: {problem}.") from problem
    return ImageConfig(config.os, config.architecture, config.variant, _moment(config.created), diff_ids)


def _moment(text: str | None) -> datetime | None:
    """A moment in RFC 3339; None for anything else, since it is a claim that only orders images."""
    try:
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (msgspec.ValidationError, OverflowError):
        return None
