"""What is kept of images, and the questions asked about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from packageurl import PackageURL

from scanner.inventory.model import BaseClaim, Claim, LayerOrigin, Origin, Unreadable
from scanner.risk.assess import InventoryFacts
from scanner.risk.model import ImageRisk, RiskState
from scanner.severity import Severity


@dataclass(frozen=True, slots=True)
class StoredPackages:
    """A set of packages in the store, and those of its package versions that the store did not know before."""

    number: int
    new_versions: frozenset[int]


@dataclass(frozen=True, slots=True)
class ClaimSummary:
    """What is shown of a claim: as Claim, but `packages` are only counted."""

    document: str
    origin: Origin
    format: str
    packages: int
    left_out: Mapping[str, int]
    problem: str

    @classmethod
    def of(cls, claim: Claim) -> "ClaimSummary":
        """The summary of a claim."""
        packages = len(claim.packages)
        return cls(claim.document, claim.origin, claim.format, packages, claim.left_out, claim.problem)


@dataclass(frozen=True, slots=True)
class PlatformDetails:
    """What is only shown of a platform manifest. `packages` counts them by ecosystem; `unreadable` is cut off.

    `distribution` is the name for people, `distribution_id` and `distribution_version` those of its os-release.
    `origins` are of its layers, in their order; none where it was read before they were kept.
    """

    platform: str = ""
    config_digest: str = ""
    layers: tuple[str, ...] = ()
    created: datetime | None = None
    distribution: str = ""
    distribution_id: str = ""
    distribution_version: str = ""
    packages: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    origins: tuple[LayerOrigin, ...] = ()
    base: BaseClaim = field(default_factory=BaseClaim)
    claims: tuple[ClaimSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image with its inventory: a manifest has a package set, an index none. Listed: it was asked for by itself."""

    repository: str
    digest: str
    scan_id: str
    scanned_at: datetime
    facts: InventoryFacts
    package_set: int | None
    listed: bool
    details: PlatformDetails = PlatformDetails()


@dataclass(frozen=True, slots=True)
class StoredInventory:
    """The newest inventory of a platform manifest; its packages are read apart, by the number of their set.

    `contents` is the SHA-256 of the set. `scanned_at` is when the scan that gave the inventory ended.
    """

    repository: str
    digest: str
    scan_id: str
    scanned_at: datetime
    facts: InventoryFacts
    package_set: int
    contents: bytes
    details: PlatformDetails

    @property
    def serial(self) -> UUID:
        """What names a document about this inventory: the same for the same, another for any other."""
        return uuid5(NAMESPACE_URL, f"{self.repository}@{self.digest}#{self.scan_id}+{self.contents.hex()}")

    @property
    def purl(self) -> str:
        """The image's package URL, by the type `oci` of the purl specification."""
        name = self.repository.rpartition("/")[2]
        return PackageURL("oci", None, name, self.digest, {"repository_url": self.repository}).to_string()


@dataclass(frozen=True, slots=True)
class Image:
    """An image as it is shown. `cursor` is its place in the order of lists."""

    cursor: int
    repository: str
    digest: str
    tags: tuple[str, ...]
    platforms: tuple[str, ...]
    risk: ImageRisk
    last_scanned: datetime | None


@dataclass(frozen=True, slots=True)
class PlatformView:
    """A platform manifest of an image, as it is shown."""

    digest: str
    details: PlatformDetails


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Which images; every condition that is given must hold. `vulnerabilities`: an open finding of one of them."""

    repositories: frozenset[str] | None = None
    states: frozenset[RiskState] = frozenset()
    worst_severities: frozenset[Severity] = frozenset()
    package: str = ""
    vulnerabilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that holds a known image; `worst` is of the images that tags point at."""

    name: str
    images: int
    worst: Severity | None
    last_scanned: datetime | None
