"""What an image holds: its distribution, its packages, and what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

WITHOUT_ADVISORIES = "generic"
"""The ecosystem of packages that no feed speaks of: ours, by the name that package URLs have for such."""


class Evidence(Enum):
    """What tells that a package is there."""

    DATABASE = "DATABASE"
    """The database of a package manager."""
    METADATA = "METADATA"
    """A file that every installed package of its ecosystem has."""
    LOCK_FILE = "LOCK_FILE"
    """A file that lists what an application is installed with; whether it was, is not known."""
    BINARY = "BINARY"
    """What a compiler wrote into a program or archive of what it was built from."""
    CLASSIFIER = "CLASSIFIER"
    """A version found in the text of a program that is known by its name."""
    CLAIM = "CLAIM"
    """A document that came with the image or was given by a person."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package.

    `ecosystem` is OSV's name with the release where there is one (`Debian:12`, `PyPI`, `npm`); `arch`, `source_name`
    and `source_version` are empty where the ecosystem has none; `layer` is the digest of the layer as stored that
    brought the package, `path` the file that says so. `module` is the module and stream (`name:stream`) of an rpm that
    has one. `owner` is the package of the distribution that the file at `path` belongs to, by the name that advisories
    of `owner_ecosystem` call it (where these speak of source packages, the source package's), both empty where that is
    none. A package that is only claimed has no `layer`, and as `path` the digest of the document.
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
    module: str = ""
    owner: str = ""
    owner_ecosystem: str = ""
    evidence: Evidence = Evidence.METADATA

    @property
    def needs_feed(self) -> bool:
        """Whether an image that holds it can be judged only with the advisories of its ecosystem."""
        return self.ecosystem != WITHOUT_ADVISORIES and self.evidence is not Evidence.CLASSIFIER


class Origin(Enum):
    """Where a claim comes from."""

    GIVEN = "GIVEN"
    """A person gave it to the scanner."""
    ATTACHED = "ATTACHED"
    """It lay beside the image in the registry."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a document says is in an image.

    `document` is the digest of the document's bytes, which the packages have as their `path`; `format` names the format
    and its version. `left_out` counts what was not taken for a package, by the reason, a sentence each; `problem` says
    why nothing of it could be read, empty where it could.
    """

    document: str
    origin: Origin
    format: str = ""
    packages: tuple[Package, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution that os-release names.

    `ecosystem` is OSV's name with the release, or one of ours in its manner where OSV has none, and None where we know
    none; `manager` the package manager whose database it has, empty where `ecosystem` is None.
    """

    id: str
    version_id: str
    pretty_name: str
    ecosystem: str | None
    manager: str = ""


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
class LayerOrigin:
    """Where a layer comes from, as far as something tells; empty: nothing does.

    `created_by` is the command that made it, by the image's history: a claim of the image. `base_image` is the name of
    the base image that it is a layer of, as the operator names it, or, where `base_claimed`, as the image does.
    """

    created_by: str = ""
    base_image: str = ""
    base_claimed: bool = False


@dataclass(frozen=True, slots=True)
class BaseClaim:
    """The base image that an image says it was built on; each is empty where it does not say."""

    name: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class PlatformInventory:
    """The inventory of one platform manifest, and what documents that lie beside it claim.

    `origins` are of its layers, in their order.
    """

    platform: str
    manifest_digest: str
    config_digest: str
    layers: tuple[str, ...]
    created: datetime | None
    inventory: Inventory
    origins: tuple[LayerOrigin, ...] = ()
    base: BaseClaim = field(default_factory=BaseClaim)
    claims: tuple[Claim, ...] = ()
