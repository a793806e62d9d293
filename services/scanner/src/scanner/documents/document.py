"""What every format of documents does: it writes a document piece by piece, so that none is ever held as a whole."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final, Protocol

from scanner.catalogue import StoredInventory
from scanner.inventory.model import Package
from scanner.risk.model import RiskState

TOOL: Final = "hallmark-scanner"
TOOL_VERSION: Final = version(TOOL)


class Document(Protocol):
    """A document about one inventory, as JSON in ASCII."""

    def begin(self) -> str:
        """What stands before the packages."""
        ...

    def packages(self, first: int, packages: Sequence[Package]) -> str:
        """The next packages of the inventory, numbered from `first` on; the inventory's first has the number 0."""
        ...

    def end(self, count: int) -> Iterator[str]:
        """What stands after so many packages."""
        ...


def image_name(inventory: StoredInventory) -> str:
    """The repository without its host."""
    return inventory.repository.partition("/")[2]


def facts(inventory: StoredInventory) -> list[tuple[str, str]]:
    """What a reader must know of an inventory beside its packages, by name; a name may stand there repeatedly."""
    details = inventory.details
    named = [
        ("scan_id", inventory.scan_id),
        ("state", inventory.facts.state.value),
        *(("reason", reason) for reason in inventory.facts.reasons),
        ("unreadable", str(inventory.facts.unreadable)),
        *(("unreadable_part", f"{one.path}: {one.problem}") for one in details.unreadable),
        ("platform", details.platform),
        ("config_digest", details.config_digest),
    ]
    return [(name, value) for name, value in named if value]


def facts_of(package: Package) -> list[tuple[str, str]]:
    """What is known of a package beside its name, version and package URL, by name."""
    named = [
        ("ecosystem", package.ecosystem),
        ("evidence", package.evidence.value),
        ("layer", package.layer),
        ("module", package.module),
        ("owner", package.owner),
        ("path", package.path),
        ("source_name", package.source_name),
        ("source_version", package.source_version),
    ]
    return [(name, value) for name, value in named if value]


def is_incomplete(inventory: StoredInventory) -> bool:
    """Whether it is known that something is missing. Nothing is ever known to be complete."""
    return inventory.facts.state is not RiskState.SCANNED or inventory.facts.unreadable > 0


def caution(inventory: StoredInventory) -> str:
    """How far the inventory can be trusted to tell everything, in sentences."""
    if not is_incomplete(inventory):
        return "It lists what was found in the image; nothing is known to be missing."
    parts = [f"It is not complete: the image is {inventory.facts.state.value}.", *inventory.facts.reasons]
    if inventory.facts.unreadable:
        parts.append(f"Parts of the image that could not be read: {inventory.facts.unreadable}.")
    return " ".join(parts)
