"""SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3/).

The library makes every object; they are strung together here, since it would hold a whole document at once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from packageurl import PackageURL
from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
from spdx_tools.spdx.jsonschema.package_converter import PackageConverter
from spdx_tools.spdx.jsonschema.relationship_converter import RelationshipConverter
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Annotation,
    AnnotationType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.model import Package as SpdxPackage

from scanner.catalogue import StoredInventory
from scanner.documents.document import TOOL, TOOL_VERSION, caution, facts, facts_of, image_name
from scanner.inventory.model import Package

_DOCUMENT: Final = "SPDXRef-DOCUMENT"
_IMAGE: Final = "SPDXRef-Image"
_SYSTEM: Final = "SPDXRef-OperatingSystem"
_TOOL: Final = Actor(ActorType.TOOL, f"{TOOL}-{TOOL_VERSION}")
_BLOCK: Final = 1000
"""Relationships in one piece."""


class Spdx:
    """Implements the port Document."""

    def __init__(self, inventory: StoredInventory) -> None:
        self._inventory = inventory
        self._creation = CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT,
            name=f"{inventory.repository}@{inventory.digest}",
            document_namespace=inventory.serial.urn,
            creators=[_TOOL],
            created=inventory.scanned_at,
            document_comment=caution(inventory),
        )
        self._converter = PackageConverter()

    def begin(self) -> str:
        """What stands before the packages."""
        envelope: dict[str, Any] = DocumentConverter().convert(Document(self._creation))
        written = [self._json(self._image(), facts(self._inventory))]
        if system := self._system():
            written.append(self._json(system, ()))
        return f'{json.dumps(envelope)[:-1]}, "packages": [{",".join(written)}'

    def packages(self, first: int, packages: Sequence[Package]) -> str:
        """The next packages of the inventory."""
        numbered = enumerate(packages, first)
        return "".join(f",{self._json(_package(number, one), facts_of(one))}" for number, one in numbered)

    def end(self, count: int) -> Iterator[str]:
        """What stands after the packages: what contains what."""
        yield '], "relationships": ['
        yield _relation(_DOCUMENT, RelationshipType.DESCRIBES, _IMAGE)
        if self._system():
            yield f",{_relation(_IMAGE, RelationshipType.CONTAINS, _SYSTEM)}"
        for start in range(0, count, _BLOCK):
            numbers = range(start, min(start + _BLOCK, count))
            yield "".join(f",{_relation(_IMAGE, RelationshipType.CONTAINS, _id(number))}" for number in numbers)
        yield "]}"

    def _image(self) -> SpdxPackage:
        digest = self._inventory.digest
        return SpdxPackage(
            spdx_id=_IMAGE,
            name=image_name(self._inventory),
            version=digest,
            download_location=SpdxNoAssertion(),
            files_analyzed=False,
            checksums=[Checksum(ChecksumAlgorithm.SHA256, digest.removeprefix("sha256:"))],
            external_references=[_purl(self._inventory.purl)],
            primary_package_purpose=PackagePurpose.CONTAINER,
        )

    def _system(self) -> SpdxPackage | None:
        details = self._inventory.details
        name = details.distribution_id or details.distribution
        if not name:
            return None
        return SpdxPackage(
            spdx_id=_SYSTEM,
            name=name,
            version=details.distribution_version or None,
            summary=details.distribution,
            download_location=SpdxNoAssertion(),
            files_analyzed=False,
            primary_package_purpose=PackagePurpose.OPERATING_SYSTEM,
        )

    def _json(self, package: SpdxPackage, known: Iterable[tuple[str, str]]) -> str:
        """A package with what else is known of it: an annotation for each, `hallmark:NAME=VALUE`."""
        kind, created = AnnotationType.OTHER, self._creation.created
        annotations = [
            Annotation(package.spdx_id, kind, _TOOL, created, f"hallmark:{name}={value}") for name, value in known
        ]
        around = Document(self._creation, annotations=annotations)
        return json.dumps(self._converter.convert(package, around))


def _package(number: int, package: Package) -> SpdxPackage:
    return SpdxPackage(
        spdx_id=_id(number),
        name=package.name,
        version=package.version,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        external_references=[_purl(PackageURL.from_string(package.purl).to_string())],
    )


def _id(number: int) -> str:
    return f"SPDXRef-Package-{number}"


def _purl(purl: str) -> ExternalPackageRef:
    return ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl)


def _relation(one: str, kind: RelationshipType, other: str) -> str:
    return json.dumps(RelationshipConverter().convert(Relationship(one, kind, other)))
