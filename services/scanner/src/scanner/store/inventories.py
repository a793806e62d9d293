"""Package versions, sets of them, and the images that hold these, in the database."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.catalogue import ImageRecord, StoredInventory, StoredPackages
from scanner.ecosystems import coordinates_of, feed_of
from scanner.inventory.model import Package
from scanner.risk.freshness import Still
from scanner.store.chunks import CHUNK, chunked
from scanner.store.encoding import details_of, details_values, facts_of, package_of
from scanner.store.tables import (
    image_platforms,
    image_tags,
    images,
    layers,
    package_sets,
    package_versions,
    set_members,
)


class InventoryRows:
    """Implements the port Inventories within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_packages(self, packages: Sequence[Package]) -> StoredPackages:
        """Store a set of packages, of which nothing is stored twice."""
        ordered = sorted({_member_identity(package): package for package in packages}.items())
        identity = _digest(*(part for member, _ in ordered for part in member))
        query = select(package_sets.c.number).where(package_sets.c.identity == identity)
        held = (await self._session.execute(query)).scalar_one_or_none()
        if held is not None:
            return StoredPackages(held, frozenset())
        versions, new = await self._put_versions([package for _, package in ordered])
        layer_numbers = await self._put_layers({package.layer for package in packages})
        number = await self._insert(package_sets, identity=identity)
        rows = [
            {
                "package_set": number,
                "position": position,
                "package_version": versions[_version_identity(package)],
                "layer": layer_numbers[package.layer],
                "path": package.path,
                "owner": package.owner,
                "owner_ecosystem": package.owner_ecosystem,
                "evidence": package.evidence.value,
            }
            for position, (_, package) in enumerate(ordered)
        ]
        if rows:
            await self._session.execute(insert(set_members), rows)
        return StoredPackages(number, new)

    async def _put_versions(self, packages: Iterable[Package]) -> tuple[Mapping[bytes, int], frozenset[int]]:
        wanted = {_version_identity(package): package for package in packages}
        held = await self._versions_by_identity(wanted)
        rows = [_version_values(identity, package) for identity, package in wanted.items() if identity not in held]
        if not rows:
            return held, frozenset()
        await self._session.execute(insert(package_versions), rows)
        every = await self._versions_by_identity(wanted)
        return every, frozenset(every[row["identity"]] for row in rows)

    async def _versions_by_identity(self, identities: Iterable[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for chunk in chunked(identities):
            query = select(package_versions.c.identity, package_versions.c.number)
            rows = await self._session.execute(query.where(package_versions.c.identity.in_(chunk)))
            found |= {row.identity: row.number for row in rows}
        return found

    async def _put_layers(self, digests: Collection[str]) -> dict[str, int]:
        query = select(layers.c.digest, layers.c.number).where(layers.c.digest.in_(digests))
        held = {row.digest: row.number for row in await self._session.execute(query)}
        for digest in sorted(set(digests) - held.keys()):
            held[digest] = await self._insert(layers, digest=digest)
        return held

    async def newest(self, repository: str, digest: str) -> StoredInventory | None:
        """Return the newest inventory of a platform manifest; None where there is none."""
        query = (
            select(images, package_sets.c.identity)
            .join(package_sets, package_sets.c.number == images.c.package_set)
            .where(images.c.repository == repository, images.c.digest == digest)
        )
        row = (await self._session.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        return StoredInventory(
            repository=repository,
            digest=digest,
            scan_id=row["scan_id"],
            scanned_at=row["last_scanned"],
            facts=facts_of(row),
            package_set=row["package_set"],
            contents=row["identity"],
            details=details_of(row["details"]),
        )

    async def packages(self, package_set: int, first: int, limit: int) -> Sequence[Package]:
        """Return packages of a set in its order, so many from a position on."""
        query = (
            select(package_versions, set_members.c.path, set_members.c.owner, set_members.c.evidence)
            .add_columns(set_members.c.owner_ecosystem)
            .add_columns(layers.c.digest.label("layer"))
            .select_from(set_members)
            .join(package_versions, package_versions.c.number == set_members.c.package_version)
            .join(layers, layers.c.number == set_members.c.layer)
            .where(set_members.c.package_set == package_set)
            .where(set_members.c.position >= first, set_members.c.position < first + limit)
            .order_by(set_members.c.position)
        )
        return [package_of(row) for row in (await self._session.execute(query)).mappings()]

    async def every_package(self, package_set: int) -> Sequence[Package]:
        """Return every package of a set, in its order."""
        found: list[Package] = []
        while packages := await self.packages(package_set, len(found), CHUNK):
            found += packages
        return found

    async def put_ecosystems(self, number: int, ecosystems: Sequence[str]) -> None:
        """Store which ecosystems an image needs feeds of."""
        values = {"ecosystems": list(ecosystems)}
        await self._session.execute(update(images).where(images.c.number == number).values(**values))

    async def image_number(self, repository: str, digest: str) -> int:
        """Return the number of an image; one that is not known becomes so, without an inventory."""
        query = select(images.c.number).where(images.c.repository == repository, images.c.digest == digest)
        held = (await self._session.execute(query)).scalar_one_or_none()
        if held is not None:
            return int(held)
        empty: dict[str, Any] = {"reasons": [], "unreadable": 0, "ecosystems": [], "details": {}}
        return await self._insert(images, repository=repository, digest=digest, listed=True, scan_id="", **empty)

    async def put_image(self, record: ImageRecord) -> int:
        """Store the newest inventory of an image; returns its number."""
        known = select(images.c.listed).where(
            images.c.repository == record.repository, images.c.digest == record.digest
        )
        listed = (await self._session.execute(known)).scalar_one_or_none()
        number = await self.image_number(record.repository, record.digest)
        values = {
            "listed": record.listed or bool(listed),
            "scan_id": record.scan_id,
            "last_scanned": record.scanned_at,
            "package_set": record.package_set,
            "state": record.facts.state.value,
            "reasons": list(record.facts.reasons),
            "unreadable": record.facts.unreadable,
            "ecosystems": list(record.facts.ecosystems),
            "details": details_values(record.details),
        }
        await self._session.execute(update(images).where(images.c.number == number).values(**values))
        return number

    async def put_platforms(self, index: int, platforms: Mapping[int, str]) -> None:
        """Store which manifests, by number, an index consists of, with the platform of each."""
        query = select(image_platforms.c.manifest_image).where(image_platforms.c.index_image == index)
        held = set((await self._session.execute(query)).scalars())
        rows = [
            {"index_image": index, "manifest_image": manifest, "platform": platform}
            for manifest, platform in platforms.items()
            if manifest not in held
        ]
        if rows:
            await self._session.execute(insert(image_platforms), rows)

    async def put_tag(self, image: int, repository: str, tag: str, seen_at: datetime) -> None:
        """Store that a tag points at an image."""
        same = (image_tags.c.repository == repository) & (image_tags.c.tag == tag)
        held = (await self._session.execute(select(image_tags.c.image).where(same))).scalar_one_or_none()
        if held is None:
            await self._session.execute(
                insert(image_tags).values(repository=repository, tag=tag, image=image, seen_at=seen_at)
            )
        else:
            await self._session.execute(update(image_tags).where(same).values(image=image, seen_at=seen_at))

    async def versions_named(self, names: Iterable[tuple[str, str]]) -> set[int]:
        """Return the package versions that advisories of these (ecosystem, name) may speak of."""
        feeds = [(feed_of(ecosystem), name) for ecosystem, name in names]
        found: set[int] = set()
        for feed in sorted({feed for feed, _ in feeds}):
            for chunk in chunked({name for other, name in feeds if other == feed}):
                query = select(package_versions.c.number).where(
                    package_versions.c.matched_name.in_(chunk), package_versions.c.feed == feed
                )
                found |= set((await self._session.execute(query)).scalars())
        return found

    async def manifests_holding(self, versions: Iterable[int]) -> set[int]:
        """Return the numbers of the manifests that hold one of these package versions and do not stand still."""
        sets: set[int] = set()
        for chunk in chunked(versions):
            query = select(set_members.c.package_set).where(set_members.c.package_version.in_(chunk)).distinct()
            sets |= set((await self._session.execute(query)).scalars())
        return await self._manifests_of(sets)

    async def manifests_owned_by(self, names: Iterable[tuple[str, str]]) -> set[int]:
        """Return the numbers of the manifests that hold what a package of one of these (ecosystem, name) owns.

        None of them stands still.
        """
        feeds = [(feed_of(ecosystem), name) for ecosystem, name in names]
        sets: set[int] = set()
        for feed in sorted({feed for feed, _ in feeds}):
            of_feed = set_members.c.owner_ecosystem
            is_of_feed = or_(of_feed == feed, of_feed.startswith(f"{feed}:", autoescape=True))
            for chunk in chunked({name for other, name in feeds if other == feed}):
                is_owned = and_(set_members.c.owner != "", set_members.c.owner.in_(chunk))
                query = select(set_members.c.package_set).where(is_owned, is_of_feed).distinct()
                sets |= set((await self._session.execute(query)).scalars())
        return await self._manifests_of(sets)

    async def _manifests_of(self, sets: Iterable[int]) -> set[int]:
        found: set[int] = set()
        for chunk in chunked(sets):
            query = select(images.c.number).where(images.c.package_set.in_(chunk), images.c.still_since.is_(None))
            found |= set((await self._session.execute(query)).scalars())
        return found

    async def numbers_of(self, wanted: Iterable[tuple[str, str]]) -> set[int]:
        """Return the numbers of those of these images, by repository and digest, that have an inventory."""
        digests: dict[str, list[str]] = defaultdict(list)
        for repository, digest in wanted:
            digests[repository].append(digest)
        found: set[int] = set()
        for repository, of_repository in digests.items():
            for chunk in chunked(of_repository):
                same = (images.c.repository == repository) & images.c.digest.in_(chunk)
                query = select(images.c.number).where(same, images.c.last_scanned.is_not(None))
                found |= set((await self._session.execute(query)).scalars())
        return found

    async def platforms_of(self, indexes: Iterable[int]) -> dict[int, set[int]]:
        """Return the manifests that these indexes consist of, each with every index that holds it."""
        found: dict[int, set[int]] = defaultdict(set)
        for chunk in chunked(indexes):
            of_chunk = select(image_platforms.c.manifest_image).where(image_platforms.c.index_image.in_(chunk))
            query = select(image_platforms).where(image_platforms.c.manifest_image.in_(of_chunk))
            for index, manifest, _ in await self._session.execute(query):
                found[manifest].add(index)
        return found

    async def listed(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these images that were asked for by themselves."""
        found: set[int] = set()
        for chunk in chunked(numbers):
            query = select(images.c.number).where(images.c.number.in_(chunk), images.c.listed)
            found |= set((await self._session.execute(query)).scalars())
        return found

    async def still(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these images that stand still."""
        found: set[int] = set()
        for chunk in chunked(numbers):
            query = select(images.c.number).where(images.c.number.in_(chunk), images.c.still_since.is_not(None))
            found |= set((await self._session.execute(query)).scalars())
        return found

    async def ecosystems_of(self, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the ecosystems of each of these images."""
        found: dict[int, tuple[str, ...]] = {}
        for chunk in chunked(numbers):
            query = select(images.c.number, images.c.ecosystems).where(images.c.number.in_(chunk))
            found |= {number: tuple(ecosystems) for number, ecosystems in await self._session.execute(query)}
        return found

    async def put_still(self, number: int, still: Still | None, since: datetime) -> None:
        """Store whether an image stands still, and since when."""
        values = (
            {"still_since": since, "still_as_of": still.as_of} if still else {"still_since": None, "still_as_of": None}
        )
        await self._session.execute(update(images).where(images.c.number == number).values(**values))

    async def _insert(self, table: Table, **values: Any) -> int:
        added = insert(table).values(**values).returning(table.c.number)
        return int((await self._session.execute(added)).scalar_one())


def _member_identity(package: Package) -> tuple[str, ...]:
    version = _version_identity(package).hex()
    of = (package.owner_ecosystem,) if package.owner_ecosystem else ()
    return version, package.layer, package.path, package.owner, package.evidence.value, *of


def _version_identity(package: Package) -> bytes:
    parts = (package.ecosystem, package.name, package.version, package.arch)
    module = (package.module,) if package.module else ()
    return _digest(*parts, package.source_name, package.source_version, *module)


def _version_values(identity: bytes, package: Package) -> dict[str, Any]:
    coordinates = coordinates_of(package)
    return {
        "identity": identity,
        "ecosystem": package.ecosystem,
        "name": package.name,
        "version": package.version,
        "arch": package.arch,
        "source_name": package.source_name,
        "source_version": package.source_version,
        "purl": package.purl,
        "feed": feed_of(package.ecosystem),
        "matched_name": coordinates.name,
        "matched_key": coordinates.key,
        "module": package.module,
    }


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()
