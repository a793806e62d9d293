"""What is kept of images, and the questions asked about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scanner.inventory.model import Unreadable
from scanner.risk.assess import InventoryFacts
from scanner.risk.model import ImageRisk, RiskState
from scanner.severity import Severity


@dataclass(frozen=True, slots=True)
class StoredPackages:
    """A set of packages in the store, and those of its package versions that the store did not know before."""

    number: int
    new_versions: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlatformDetails:
    """What is only shown of a platform manifest. `packages` counts them by ecosystem; `unreadable` is cut off."""

    platform: str = ""
    config_digest: str = ""
    layers: tuple[str, ...] = ()
    created: datetime | None = None
    distribution: str = ""
    packages: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()


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
