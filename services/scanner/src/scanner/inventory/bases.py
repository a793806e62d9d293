"""Where an image's layers come from: the commands that made them, and the base image that the image was built on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated

import msgspec

from scanner.inventory.model import LayerOrigin

_Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class BaseImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A base image that the operator names: its layers from the lowest on, as stored or unpacked (diff ids)."""

    name: _Name
    layers: Annotated[tuple[_Digest, ...], msgspec.Meta(min_length=1, max_length=200)]


def layer_origins(
    layers: Sequence[str], diff_ids: Sequence[str], commands: Sequence[str], bases: Iterable[BaseImage]
) -> tuple[LayerOrigin, ...]:
    """The origin of each layer, the lowest first; of the bases that lie beneath, the one with the most layers counts.

    `commands` are those that the image says made its layers: as many as there are layers, or none.
    """
    beneath = [base for base in bases if _is_beneath(base.layers, layers, diff_ids)]
    base = max(beneath, key=lambda one: len(one.layers), default=None)
    return tuple(
        LayerOrigin(
            created_by=commands[place] if commands else "",
            base_image=base.name if base and place < len(base.layers) else "",
        )
        for place in range(len(layers))
    )


def with_claimed_base(
    origins: Sequence[LayerOrigin], layers: Sequence[str], name: str, known: Iterable[Sequence[str]]
) -> tuple[LayerOrigin, ...]:
    """The origins with the base that the image itself claims; `known` are the layers of its platforms.

    What the operator named counts more: where it tells of a base, the claim adds nothing.
    """
    if any(origin.base_image for origin in origins):
        return tuple(origins)
    count = max((len(base) for base in known if _is_beneath(base, layers, layers)), default=0)
    claimed = [replace(origin, base_image=name, base_claimed=True) for origin in origins[:count]]
    return (*claimed, *origins[count:])


def _is_beneath(base: Sequence[str], layers: Sequence[str], diff_ids: Sequence[str]) -> bool:
    if len(base) > len(layers):
        return False
    pairs = zip(base, layers, diff_ids, strict=False)
    return bool(base) and all(one in {stored, unpacked} for one, stored, unpacked in pairs)
