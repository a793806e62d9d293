"""Taking in what persons say is in an image."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.clock import Clock
from chassis.identity import Caller
from chassis.workers import Workers

from scanner.catalogue import ClaimSummary, ImageRecord, StoredInventory
from scanner.claims.merging import with_claims
from scanner.claims.reading import LARGEST, read_claim
from scanner.errors import ImageNotFound, ImageNotRead, InventoryTooLarge, PlatformUnclear, TooManyClaims
from scanner.inventory.distributions import recognised
from scanner.inventory.model import Claim, Distribution, Evidence, Origin, Package
from scanner.reassessment import find_again, reassess, refresh_feed_sets
from scanner.risk.freshness import MaxAge, feed_set_name
from scanner.risk.model import RiskCause
from scanner.stillness import stand_still_anew
from scanner.store import Store, Unit

MOST_CLAIMS = 20
"""Documents that are kept of one platform manifest."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a document is about: see InventoryHeader of the protos."""

    repository: str
    digest: str
    replace: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a document; `added` counts the packages that are known by claims alone and of this document."""

    claim: Claim
    digest: str
    added: int


class InventoryImporter:
    """Takes documents in from callers."""

    def __init__(self, store: Store, workers: Workers, clock: Clock, max_age: MaxAge) -> None:
        self._store = store
        self._workers = workers
        self._clock = clock
        self._max_age = max_age

    async def run(self, caller: Caller, subject: Subject, chunks: AsyncIterator[bytes]) -> Imported:
        """Add what a document tells of to an image's inventory.

        Raises ImageNotFound, ImageNotRead, PlatformUnclear, InventoryMalformed, InventoryTooLarge and TooManyClaims.
        """
        caller.scope.demand_repository(subject.repository)
        async with self._store.read() as unit:
            stored = await _inventory(unit, subject)
        body = await _receive(chunks)
        claim = await self._workers.run(read_claim, body, _distribution(stored), Origin.GIVEN)
        async with self._store.begin() as unit:
            result = await self._add(unit, subject, claim)
            image = f"{subject.repository}@{result.digest}"
            await unit.record("inventories.import", image, _details(subject, result))
        return result

    async def _add(self, unit: Unit, subject: Subject, claim: Claim) -> Imported:
        now = self._clock.now()
        stored = await _inventory(unit, subject)
        before = await unit.claims.given(subject.repository, stored.digest)
        others = [] if subject.replace else [one for one in before if one.document != claim.document]
        if len(others) >= MOST_CLAIMS:
            raise TooManyClaims(
                f"{MOST_CLAIMS} documents were given about {subject.repository}@{stored.digest}; another one can only "
                "replace them all."
            )
        every = await unit.inventories.every_package(stored.package_set)
        attached = {one.document for one in stored.details.claims if one.origin is Origin.ATTACHED}
        gone = {one.document for one in before} - attached
        base = [one for one in every if not (one.evidence is Evidence.CLAIM and one.path in gone)]
        given = [*others, claim]
        packages = with_claims(base, given)
        number, new = await _store(unit, stored, every, packages, given)
        own = await unit.inventories.put_packages(claim.packages)
        if subject.replace:
            await unit.claims.remove(number)
        await unit.claims.put(number, claim, own.number, now)
        await self._follow(unit, number, new | own.new_versions, claim.document, now)
        added = sum(one.evidence is Evidence.CLAIM and one.path == claim.document for one in packages)
        return Imported(claim, stored.digest, added)

    async def _follow(self, unit: Unit, number: int, versions: frozenset[int], document: str, now: datetime) -> None:
        """Match what is new, and assess the image and the indexes that hold it anew."""
        numbers = {number}
        for index in await unit.risks.indexes_around(numbers):
            of_platforms = await unit.inventories.ecosystems_of([platform for _, platform in index.platforms])
            ecosystems = {name for names in of_platforms.values() for name in names}
            await unit.inventories.put_ecosystems(index.number, sorted(ecosystems))
            numbers.add(index.number)
        still = await stand_still_anew(unit, numbers, self._max_age, now)
        await find_again(unit, versions, now)
        named = map(feed_set_name, (await unit.inventories.ecosystems_of(numbers)).values())
        await refresh_feed_sets(unit, self._max_age, now, {*named, *still})
        await reassess(unit, {number}, RiskCause.CLAIM, document, now)


async def _inventory(unit: Unit, subject: Subject) -> StoredInventory:
    """The inventory that a document is about."""
    image = f"{subject.repository}@{subject.digest}"
    known = await unit.catalogue.get(subject.repository, subject.digest)
    if known is None:
        raise ImageNotFound(f"No image {image} is known: it was never asked to be scanned.")
    platforms = await unit.catalogue.platforms(known.cursor)
    if len(platforms) > 1:
        named = ", ".join(f"{one.details.platform} ({one.digest})" for one in platforms)
        raise PlatformUnclear(f"{image} is an index: name the manifest that is meant. It has {named}.", field="digest")
    found = await unit.inventories.newest(subject.repository, platforms[0].digest) if platforms else None
    if found is None:
        raise ImageNotRead(f"{image} has no inventory yet to which something could be added.")
    return found


async def _store(
    unit: Unit, stored: StoredInventory, before: Sequence[Package], packages: Sequence[Package], given: Iterable[Claim]
) -> tuple[int, frozenset[int]]:
    """Store an inventory with other claims; returns the image's number and the package versions that are new."""
    held = await unit.inventories.put_packages(packages)
    claims = [one for one in stored.details.claims if one.origin is Origin.ATTACHED]
    details = replace(
        stored.details,
        packages=Counter(package.ecosystem for package in packages),
        claims=(*claims, *map(ClaimSummary.of, given)),
    )
    record = ImageRecord(
        repository=stored.repository,
        digest=stored.digest,
        scan_id=stored.scan_id,
        scanned_at=stored.scanned_at,
        facts=replace(stored.facts, ecosystems=_ecosystems(stored, before, packages)),
        package_set=held.number,
        listed=False,
        details=details,
    )
    return await unit.inventories.put_image(record), held.new_versions


def _ecosystems(stored: StoredInventory, before: Sequence[Package], packages: Sequence[Package]) -> tuple[str, ...]:
    """Those that are needed whatever is claimed, and those of the packages that there are now."""
    claimed = {one.ecosystem for one in before if one.evidence is Evidence.CLAIM}
    found = {one.ecosystem for one in before if one.evidence is not Evidence.CLAIM and one.needs_feed}
    distribution = _distribution(stored)
    if distribution and distribution.ecosystem:
        found.add(distribution.ecosystem)
    needed = set(stored.facts.ecosystems) - (claimed - found)
    return tuple(sorted(needed | {one.ecosystem for one in packages if one.needs_feed}))


def _distribution(stored: StoredInventory) -> Distribution | None:
    details = stored.details
    if not details.distribution_id:
        return None
    return recognised(details.distribution_id, details.distribution_version, details.distribution)


async def _receive(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > LARGEST:
            raise InventoryTooLarge(f"The document is larger than {LARGEST} bytes. Nothing was imported.")
        body += chunk
    return bytes(body)


def _details(subject: Subject, result: Imported) -> dict[str, str]:
    return {
        "document": result.claim.document,
        "format": result.claim.format,
        "packages": str(len(result.claim.packages)),
        "added": str(result.added),
        "left_out": str(sum(result.claim.left_out.values())),
        "replace": str(subject.replace).lower(),
    }
