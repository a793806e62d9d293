"""CycloneDX 1.6 in JSON (ECMA-424; https://cyclonedx.org/docs/1.6/json/).

The library makes every object; they are strung together here, since it would hold a whole document at once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema.schema import SchemaVersion1Dot6
from packageurl import PackageURL

from scanner.catalogue import StoredInventory
from scanner.documents.document import TOOL, TOOL_VERSION, facts, facts_of, image_name, is_incomplete
from scanner.inventory.model import Evidence, Package

_IMAGE: Final = "image"
_SYSTEM: Final = "operating-system"


class CycloneDx:
    """Implements the port Document."""

    def __init__(self, inventory: StoredInventory) -> None:
        self._inventory = inventory
        self._first = True

    def begin(self) -> str:
        """What stands before the packages."""
        bom = Bom(serial_number=self._inventory.serial, metadata=self._metadata())
        envelope: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
        aggregate = "incomplete" if is_incomplete(self._inventory) else "unknown"
        envelope["compositions"] = [{"aggregate": aggregate, "assemblies": [_IMAGE]}]  # the library has none
        system = self._system()
        self._first = system is None
        return f'{json.dumps(envelope)[:-1]}, "components": [{_json(system) if system else ""}'

    def packages(self, first: int, packages: Sequence[Package]) -> str:
        """The next packages of the inventory."""
        written = ",".join(_json(_component(number, one)) for number, one in enumerate(packages, first))
        comma = "" if self._first or not written else ","
        self._first = self._first and not written
        return comma + written

    def end(self, count: int) -> Iterator[str]:
        """What stands after the packages."""
        yield "]}"

    def _metadata(self) -> BomMetaData:
        inventory = self._inventory
        image = Component(
            type=ComponentType.CONTAINER,
            name=image_name(inventory),
            version=inventory.digest,
            bom_ref=_IMAGE,
            purl=PackageURL.from_string(inventory.purl),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=inventory.digest.removeprefix("sha256:"))],
        )
        tool = Component(type=ComponentType.APPLICATION, name=TOOL, version=TOOL_VERSION, bom_ref=TOOL)
        return BomMetaData(
            timestamp=inventory.scanned_at,
            component=image,
            tools=ToolRepository(components=[tool]),
            properties=_properties(facts(inventory)),
        )

    def _system(self) -> Component | None:
        details = self._inventory.details
        name = details.distribution_id or details.distribution
        if not name:
            return None
        return Component(
            type=ComponentType.OPERATING_SYSTEM,
            name=name,
            version=details.distribution_version or None,
            description=details.distribution,
            bom_ref=_SYSTEM,
        )


def _component(number: int, package: Package) -> Component:
    at = [Occurrence(location=package.path)] if package.evidence is not Evidence.CLAIM else []
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=PackageURL.from_string(package.purl),
        bom_ref=f"package-{number}",
        properties=_properties(facts_of(package)),
        evidence=ComponentEvidence(occurrences=at) if at else None,
    )


def _properties(named: Iterable[tuple[str, str]]) -> list[Property]:
    return [Property(name=f"hallmark:{name}", value=value) for name, value in named]


def _json(component: Component) -> str:
    written: str = component.as_json(view_=SchemaVersion1Dot6)  # type: ignore[attr-defined]  # added by a decorator
    return written
