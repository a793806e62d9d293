"""An image's configuration, as far as a scan needs it. Format: OCI image specification, config.md."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from registry.digests import Digest, InvalidDigest, parse_digest

from scanner.failures import UnsupportedManifest

LARGEST = 8 * 2**20
"""Bytes of a configuration."""
LONGEST_COMMAND = 500
"""Characters that are kept of the command that made a layer."""
LONGEST_HISTORY = 50_000
"""Characters that are kept of all of an image's commands."""


class _RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] = ()


class _Step(msgspec.Struct, frozen=True):
    created_by: str | None = None
    empty_layer: bool | None = None


_Word = Annotated[str, msgspec.Meta(max_length=255)]


class _Config(msgspec.Struct, frozen=True):
    os: _Word = ""
    architecture: _Word = ""
    variant: _Word = ""
    created: str | None = None
    rootfs: _RootFs | None = None
    history: msgspec.Raw = msgspec.Raw(b"[]")


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says of itself. `diff_ids` are the digests of its unpacked layers, the base first.

    `commands` are those that it says made each of these, cut off; none where it does not say so of every layer.
    """

    os: str
    architecture: str
    variant: str
    created: datetime | None
    diff_ids: tuple[Digest, ...]
    commands: tuple[str, ...] = ()


def parse_config(body: bytes) -> ImageConfig:
    """Read a configuration. Raises UnsupportedManifest."""
    try:
        config = msgspec.json.decode(body, type=_Config)
        diff_ids = tuple(map(parse_digest, config.rootfs.diff_ids if config.rootfs else ()))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidDigest) as problem:
        raise UnsupportedManifest(f"The image's configuration can't be read: {problem}.") from problem
    commands = _commands(config.history, len(diff_ids))
    return ImageConfig(config.os, config.architecture, config.variant, _moment(config.created), diff_ids, commands)


def _commands(history: msgspec.Raw, layers: int) -> tuple[str, ...]:
    """What made each layer (config.md, "history"): a claim, of which an odd one is left out."""
    try:
        steps = msgspec.json.decode(history, type=tuple[_Step, ...] | None) or ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    made = [step.created_by or "" for step in steps if not step.empty_layer]
    if len(made) != layers:
        return ()
    longest = min(LONGEST_COMMAND, LONGEST_HISTORY // max(layers, 1))
    return tuple(_printable(command[:longest]) for command in made)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _moment(text: str | None) -> datetime | None:
    """A moment in RFC 3339; None for anything else, since it is a claim that only orders images."""
    try:
        moment = msgspec.convert(text, datetime)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (msgspec.ValidationError, OverflowError):
        return None
