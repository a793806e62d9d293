"""The port to what images hold: package versions, sets of them, and what persons say is in an image."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from scanner.catalogue import ImageRecord, StoredInventory, StoredPackages
from scanner.inventory.model import Claim, Package
from scanner.risk.freshness import Still


class Inventories(Protocol):
    """Package versions, sets of them, and the images that hold these."""

    async def put_packages(self, packages: Sequence[Package]) -> StoredPackages:
        """Store a set of packages, of which nothing is stored twice."""
        ...

    async def newest(self, repository: str, digest: str) -> StoredInventory | None:
        """Return the newest inventory of a platform manifest; None where there is none."""
        ...

    async def packages(self, package_set: int, first: int, limit: int) -> Sequence[Package]:
        """Return packages of a set in its order, so many from a position on."""
        ...

    async def every_package(self, package_set: int) -> Sequence[Package]:
        """Return every package of a set, in its order."""
        ...

    async def put_ecosystems(self, number: int, ecosystems: Sequence[str]) -> None:
        """Store which ecosystems an image needs feeds of."""
        ...

    async def image_number(self, repository: str, digest: str) -> int:
        """Return the number of an image; one that is not known becomes so, without an inventory."""
        ...

    async def put_image(self, record: ImageRecord) -> int:
        """Store the newest inventory of an image; returns its number."""
        ...

    async def put_platforms(self, index: int, platforms: Mapping[int, str]) -> None:
        """Store which manifests, by number, an index consists of, with the platform of each."""
        ...

    async def put_tag(self, image: int, repository: str, tag: str, seen_at: datetime) -> None:
        """Store that a tag points at an image."""
        ...

    async def versions_named(self, names: Iterable[tuple[str, str]]) -> set[int]:
        """Return the package versions that advisories of these (ecosystem, name) may speak of."""
        ...

    async def manifests_holding(self, versions: Iterable[int]) -> set[int]:
        """Return the numbers of the manifests that hold one of these package versions and do not stand still."""
        ...

    async def manifests_owned_by(self, names: Iterable[tuple[str, str]]) -> set[int]:
        """Return the numbers of the manifests that hold what a package of one of these (ecosystem, name) owns.

        None of them stands still.
        """
        ...

    async def numbers_of(self, wanted: Iterable[tuple[str, str]]) -> set[int]:
        """Return the numbers of those of these images, by repository and digest, that have an inventory."""
        ...

    async def platforms_of(self, indexes: Iterable[int]) -> Mapping[int, set[int]]:
        """Return the manifests that these indexes consist of, each with every index that holds it."""
        ...

    async def listed(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these images that were asked for by themselves."""
        ...

    async def still(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these images that stand still."""
        ...

    async def ecosystems_of(self, numbers: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
        """Return the ecosystems of each of these images."""
        ...

    async def put_still(self, number: int, still: Still | None, since: datetime) -> None:
        """Store whether an image stands still, and since when."""
        ...


class Claims(Protocol):
    """Documents that persons gave about what is in images."""

    async def given(self, repository: str, digest: str) -> Sequence[Claim]:
        """Return what was given about a platform manifest, the oldest first."""
        ...

    async def put(self, image: int, claim: Claim, package_set: int, given: datetime) -> None:
        """Store what was given about a platform manifest, by its number, in the place of the same document."""
        ...

    async def remove(self, image: int) -> None:
        """Remove whatever was given about a platform manifest, by its number."""
        ...
