"""Reading documents that say what is in an image: CycloneDX 1.2 to 1.6 and SPDX 2.2 and 2.3, in JSON.

What is read of them are package URLs and versions. The formats' schemas are not demanded: a document that breaks them
elsewhere still tells of packages.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from scanner.claims.packages import claimed
from scanner.errors import InventoryMalformed, InventoryTooLarge
from scanner.inventory.model import Claim, Distribution, Origin, Package

LARGEST: Final = 32 * 2**20
"""Bytes of a document."""
MOST_PACKAGES: Final = 50_000
"""Components or packages that one document may tell of."""
_MOST_OBJECTS: Final = 1_000_000
"""JSON objects in a document: each takes more memory than bytes."""
_DEEPEST: Final = 32
"""Components within components."""
_MOST_REASONS: Final = 10
"""Kept of one document: an image has many platforms, and is sent in one message."""
_MARK: Final = b"\xef\xbb\xbf"
_CYCLONEDX: Final = {"1.2", "1.3", "1.4", "1.5", "1.6"}
_SPDX: Final = {"SPDX-2.2", "SPDX-2.3"}

_Told = tuple[str, str]
"""A package URL and a version, each empty where there is none."""


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    bom_format: str | None = None
    spec_version: str | None = None
    spdx_version: str | None = None


class _Component(msgspec.Struct, frozen=True):
    version: str | None = None
    purl: str | None = None
    components: tuple["_Component", ...] = ()


class _CycloneDx(msgspec.Struct, frozen=True):
    components: tuple[_Component, ...] = ()


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    reference_type: str | None = None
    reference_locator: str | None = None


class _SpdxPackage(msgspec.Struct, frozen=True, rename="camel"):
    version_info: str | None = None
    external_refs: tuple[_Reference, ...] = ()


class _Spdx(msgspec.Struct, frozen=True):
    packages: tuple[_SpdxPackage, ...] = ()


def read_claim(body: bytes, distribution: Distribution | None, origin: Origin, document: str = "") -> Claim:
    """What a document claims of an image of this distribution. Raises InventoryMalformed and InventoryTooLarge.

    `document` names it where it is a part of other bytes; else the digest of its own does.
    """
    if len(body) > LARGEST:
        raise InventoryTooLarge(f"The document is larger than {LARGEST} bytes.")
    if body.count(b"{") > _MOST_OBJECTS:
        raise InventoryTooLarge(f"The document holds more than {_MOST_OBJECTS} objects.")
    document = document or f"sha256:{hashlib.sha256(body).hexdigest()}"
    try:
        named, told = _read(body.removeprefix(_MARK))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InventoryMalformed(f"The document can't be read: {problem}.", field="chunk") from problem
    packages: dict[Package, None] = {}
    left_out = Counter[str]()
    for number, (purl, version) in enumerate(told):
        if number == MOST_PACKAGES:
            raise InventoryTooLarge(f"The document tells of more than {MOST_PACKAGES} packages.")
        one = claimed(purl, version, document, distribution)
        if isinstance(one, str):
            left_out[one] += 1
        else:
            packages[one] = None
    return Claim(document, origin, named, tuple(packages), dict(left_out.most_common(_MOST_REASONS)))


def _read(body: bytes) -> tuple[str, Iterator[_Told]]:
    head = msgspec.json.decode(body, type=_Head)
    if head.bom_format == "CycloneDX" and head.spec_version in _CYCLONEDX:
        return f"CycloneDX {head.spec_version}", _components(msgspec.json.decode(body, type=_CycloneDx))
    if head.spdx_version in _SPDX:
        return head.spdx_version.replace("-", " "), _spdx_packages(msgspec.json.decode(body, type=_Spdx))
    raise InventoryMalformed(
        "The document is neither CycloneDX 1.2 to 1.6 nor SPDX 2.2 or 2.3, in JSON.", field="chunk"
    )


def _components(document: _CycloneDx) -> Iterator[_Told]:
    level, depth = document.components, 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise InventoryTooLarge(f"The document holds components more than {_DEEPEST} deep.")
        yield from ((one.purl or "", one.version or "") for one in level)
        level = tuple(inner for one in level for inner in one.components)


def _spdx_packages(document: _Spdx) -> Iterator[_Told]:
    for package in document.packages:
        purls = (one.reference_locator for one in package.external_refs if one.reference_type == "purl")
        yield next(purls, None) or "", package.version_info or ""
