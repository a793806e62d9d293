"""What an image holds: its distribution, its packages, and what could not be read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package.

    `ecosystem` is OSV's name with the release where there is one (`Debian:12`, `PyPI`, `npm`); `arch`, `source_name`
    and `source_version` are empty where the ecosystem has none; `layer` is the digest of the layer as stored that
    brought the package, `path` the file that says so.
    """

    ecosystem: str
    name: str
    version: str
    arch: str
    source_name: str
    source_version: str
    purl: str
    layer: str
    path: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution that os-release names; `ecosystem` is OSV's name with the release, None where we know none."""

    id: str
    version_id: str
    pretty_name: str
    ecosystem: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of the image that could not be read; `problem` is a sentence."""

    layer: str
    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found. `gaps` say, a sentence each, why it is not complete; `unsupported`, why it says nothing."""

    distribution: Distribution | None
    packages: tuple[Package, ...]
    unreadable: tuple[Unreadable, ...]
    gaps: tuple[str, ...]
    unsupported: str | None


@dataclass(frozen=True, slots=True)
class PlatformInventory:
    """The inventory of one platform manifest."""

    platform: str
    manifest_digest: str
    config_digest: str
    layers: tuple[str, ...]
    created: datetime | None
    inventory: Inventory
