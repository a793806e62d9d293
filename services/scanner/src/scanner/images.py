"""Images: recording what a scan found, and answering what is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scanner.catalogue import ClaimSummary, ImageRecord, PlatformDetails
from scanner.claims.merging import with_claims
from scanner.inventory.bases import with_claimed_base
from scanner.inventory.model import LayerOrigin, PlatformInventory
from scanner.reassessment import find_again, reassess, refresh_feed_sets
from scanner.risk.assess import index_facts, inventory_facts
from scanner.risk.freshness import MaxAge, feed_set, feed_set_name, with_freshness
from scanner.risk.model import FeedSet, ImageRisk, RiskCause, RiskState
from scanner.stillness import stand_still_anew
from scanner.store import Unit

MOST_UNREADABLE = 20
"""Unreadable parts kept of one manifest, however many are counted."""


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What a scan found in `host/repository` at the digest of an index or a manifest.

    `missing_platforms` are those of an index that could not be read, a sentence each; `tag` is the one scanned.
    """

    repository: str
    digest: str
    scan_id: str
    platforms: tuple[PlatformInventory, ...]
    missing_platforms: tuple[str, ...]
    tag: str | None
    finished_at: datetime

    @property
    def is_index(self) -> bool:
        """Whether it is an index, rather than one manifest."""
        return [platform.manifest_digest for platform in self.platforms] != [self.digest]


async def record_scanning(unit: Unit, repository: str, digest: str, scan_id: str) -> None:
    """Note that a scan is queued or running; without effect on an image that has an inventory."""
    await _record_without_inventory(unit, ImageRisk(repository, digest, RiskState.SCANNING, scan_id=scan_id))


async def record_failure(unit: Unit, repository: str, digest: str, scan_id: str, reason: str) -> None:
    """Note that a scan failed, and why in a sentence; without effect on an image that has an inventory."""
    failed = ImageRisk(repository, digest, RiskState.FAILED, reasons=(reason,), scan_id=scan_id)
    await _record_without_inventory(unit, failed)


async def _record_without_inventory(unit: Unit, risk: ImageRisk) -> None:
    number = await unit.inventories.image_number(risk.repository, risk.digest)
    held = (await unit.risks.of([number])).get(number)
    if held is None or held.state in {RiskState.SCANNING, RiskState.FAILED}:
        await unit.risks.put({number: risk})


async def record_tag(unit: Unit, repository: str, tag: str, digest: str, seen_at: datetime) -> None:
    """Note that a tag points at a digest."""
    number = await unit.inventories.image_number(repository, digest)
    await unit.inventories.put_tag(number, repository, tag, seen_at)


async def record_scan(unit: Unit, outcome: ScanOutcome, max_age: MaxAge) -> ImageRisk:
    """Store the inventories that a scan gave, match what is new in them, and assess the image.

    Returns the image's risk as it is kept. Nothing is in force before the caller ends the transaction.
    """
    outcome = await _with_given(unit, outcome)
    new_versions: set[int] = set()
    manifests: dict[int, str] = {}
    for platform in outcome.platforms:
        stored = await unit.inventories.put_packages(platform.inventory.packages)
        new_versions |= stored.new_versions
        record = _manifest_record(outcome, platform, stored.number, await _origins(unit, platform))
        manifests[await unit.inventories.put_image(record)] = platform.platform
    numbers = set(manifests)
    if outcome.is_index:
        index = await unit.inventories.put_image(_index_record(outcome))
        await unit.inventories.put_platforms(index, manifests)
        numbers.add(index)
    if outcome.tag is not None:
        await record_tag(unit, outcome.repository, outcome.tag, outcome.digest, outcome.finished_at)
    still = await stand_still_anew(unit, numbers, max_age, outcome.finished_at)
    await find_again(unit, new_versions, outcome.finished_at)
    # Before the risks that name them: who follows the stream knows them then.
    await refresh_feed_sets(unit, max_age, outcome.finished_at, _feed_sets(outcome) | still)
    await reassess(unit, numbers, RiskCause.SCAN, outcome.scan_id, outcome.finished_at)
    return await risk_of(unit, outcome.repository, outcome.digest)


async def _with_given(unit: Unit, outcome: ScanOutcome) -> ScanOutcome:
    """The outcome with what was claimed added to what was found: by documents beside the image, and given ones."""
    platforms = []
    for platform in outcome.platforms:
        claims = (*platform.claims, *await unit.claims.given(outcome.repository, platform.manifest_digest))
        found = replace(platform.inventory, packages=with_claims(platform.inventory.packages, claims))
        platforms.append(replace(platform, inventory=found, claims=claims))
    return replace(outcome, platforms=tuple(platforms))


def _feed_sets(outcome: ScanOutcome) -> set[str]:
    ecosystems = [inventory_facts(platform.inventory).ecosystems for platform in outcome.platforms]
    return {feed_set_name(names) for names in (*ecosystems, {name for names in ecosystems for name in names})}


async def _origins(unit: Unit, platform: PlatformInventory) -> tuple[LayerOrigin, ...]:
    base = platform.base
    known = await unit.catalogue.layers_of(base.digest) if base.digest else ()
    return with_claimed_base(platform.origins, platform.layers, base.name or base.digest, known)


def _manifest_record(
    outcome: ScanOutcome, platform: PlatformInventory, package_set: int, origins: tuple[LayerOrigin, ...]
) -> ImageRecord:
    inventory = platform.inventory
    details = PlatformDetails(
        platform=platform.platform,
        config_digest=platform.config_digest,
        layers=platform.layers,
        created=platform.created,
        distribution=inventory.distribution.pretty_name if inventory.distribution else "",
        distribution_id=inventory.distribution.id if inventory.distribution else "",
        distribution_version=inventory.distribution.version_id if inventory.distribution else "",
        packages=Counter(package.ecosystem for package in inventory.packages),
        unreadable=inventory.unreadable[:MOST_UNREADABLE],
        origins=origins,
        base=platform.base,
        claims=tuple(map(ClaimSummary.of, platform.claims)),
    )
    return ImageRecord(
        repository=outcome.repository,
        digest=platform.manifest_digest,
        scan_id=outcome.scan_id,
        scanned_at=outcome.finished_at,
        facts=inventory_facts(inventory),
        package_set=package_set,
        listed=platform.manifest_digest == outcome.digest,
        details=details,
    )


def _index_record(outcome: ScanOutcome) -> ImageRecord:
    platforms = [inventory_facts(platform.inventory) for platform in outcome.platforms]
    return ImageRecord(
        repository=outcome.repository,
        digest=outcome.digest,
        scan_id=outcome.scan_id,
        scanned_at=outcome.finished_at,
        facts=index_facts(platforms, outcome.missing_platforms),
        package_set=None,
        listed=True,
    )


async def with_feeds(
    unit: Unit, risks: Sequence[ImageRisk], max_age: MaxAge, now: datetime
) -> tuple[Sequence[ImageRisk], Mapping[str, FeedSet]]:
    """Reckon in the age of feeds at `now`; returns the risks and, by name, the feed sets that they name."""
    feeds = await unit.advisories.feeds()
    own = {risk.feed_set for risk in risks}
    named = own | {platform.feed_set for risk in risks for platform in risk.platforms}
    feed_sets = {name: feed_set(name, feeds, max_age, now) for name in named if name}
    return [with_freshness(risk, feed_sets) for risk in risks], {name: feed_sets[name] for name in own if name}


async def risk_of(unit: Unit, repository: str, digest: str) -> ImageRisk:
    """Return the risk of an image as it is kept; NOT_SCANNED where it is not known."""
    return await unit.risks.get(repository, digest) or ImageRisk(repository, digest)
