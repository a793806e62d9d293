"""Learning from imported advisories: merged by record id, and everything that follows, in one transaction."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath

from chassis.errors import InvalidArgument

from scanner.advisories.advisory import Reading
from scanner.advisories.archive import Batch
from scanner.advisories.merging import merge
from scanner.advisories.naming import vulnerabilities_of
from scanner.advisories.sightings import Sighting, Skipped
from scanner.ecosystems import feed_of
from scanner.errors import FeedEmpty, FeedGoesBack, FeedShrinks, FeedUnclear
from scanner.reassessment import Found, find_again, reassess, refresh_feed_sets
from scanner.risk.freshness import Feed, MaxAge
from scanner.risk.model import RiskCause
from scanner.store import Unit

MOST_SKIPPED = 100
"""Skipped records that are named in the answer, however many are counted."""
MOST_ECOSYSTEMS = 100
"""Unknown ecosystems that are named in the answer."""
_LOST_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class ImportHeader:
    """What an import holds; see ImportHeader of the protos."""

    ecosystems: tuple[str, ...] = ()
    as_of: datetime | None = None
    complete: bool = False
    accept_shrink: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; see ImportResult of the protos."""

    import_id: str
    ecosystems: tuple[str, ...]
    as_of: datetime
    added: int
    updated: int
    unchanged: int
    older: int
    removed: int
    withdrawn: int
    skipped: int
    skipped_records: tuple[Skipped, ...]
    unknown_ecosystems: Mapping[str, int]
    found: Found
    images_changed: int


Reader = Callable[[Sequence[Sighting]], Awaitable[Reading]]


@dataclass(slots=True)
class _Tally:
    """What was seen of an import so far, and what of the store it touched."""

    sighted: int = 0
    """Records that could be read, as far as they were looked at."""
    updated: int = 0
    unchanged: int = 0
    older: int = 0
    withdrawn: int = 0
    skipped: int = 0
    skipped_records: list[Skipped] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None
    """The newest `modified` that does not lie in the future."""
    common: frozenset[str] | None = None
    """The feeds that every record so far speaks of; None before the first."""
    seen: set[str] = field(default_factory=set)
    """The ids of the records that the import holds, whether they could be read or not."""
    new: set[str] = field(default_factory=set)
    """The ids of the records that it added."""
    touched: set[int] = field(default_factory=set)
    """The numbers of the advisories that it added, replaced or removed."""
    packages: set[tuple[str, str]] = field(default_factory=set)
    """The (ecosystem, name) of the packages that these spoke of, before or after."""
    names: set[str] = field(default_factory=set)
    """The ids that meant the same as one of them, before or after."""
    vulnerabilities: set[str] = field(default_factory=set)
    """The vulnerabilities that they spoke of, before or after."""

    def see(self, batch: Batch, now: datetime) -> None:
        """Note what a batch holds, whether it brings news or not."""
        self.skip(batch.skipped)
        self.sighted += len(batch.sightings)
        for sighting in batch.sightings:
            self.seen.add(sighting.record_id)
            if sighting.modified < now:
                self.newest = max(sighting.modified, self.newest or sighting.modified)
            if sighting.feeds:
                self.common = sighting.feeds if self.common is None else self.common & sighting.feeds

    def skip(self, skipped: Sequence[Skipped]) -> None:
        """Note records that could not be read; they are not thereby absent."""
        self.skipped += len(skipped)
        self.skipped_records += skipped[: MOST_SKIPPED - len(self.skipped_records)]
        self.seen.update(PurePosixPath(one.name).stem for one in skipped)


async def learn(
    unit: Unit, header: ImportHeader, batches: AsyncIterator[Batch], read: Reader, max_age: MaxAge, now: datetime
) -> ImportResult:
    """Merge an archive's records into those held, match again what they touch, and assess the images that hold it.

    `read` reads the records that bring news. Nothing is in force before the caller ends the transaction. Raises
    FeedEmpty, FeedUnclear, FeedShrinks and FeedGoesBack, and what reading the batches raises.
    """
    tally = _Tally()
    async for batch in batches:
        await _merge_batch(unit, batch, read, tally, now)
    if not tally.sighted:
        raise FeedEmpty("The import holds no record that could be read. Nothing was imported.", field="chunk")
    ecosystems = _ecosystems(header, tally)
    as_of = _as_of(header, tally, now)
    removed = await _remove_absent(unit, header, ecosystems, as_of, tally, now) if header.complete else 0
    await _name_again(unit, tally)
    number = await unit.advisories.add_import(ecosystems, as_of, now)
    await _put_feeds(unit, ecosystems, {feed_of(ecosystem) for ecosystem, _ in tally.packages}, as_of, now)
    versions = await unit.inventories.versions_named(tally.packages)
    versions |= await unit.findings.versions_with(tally.vulnerabilities)
    found = await find_again(unit, versions, now)
    manifests = await unit.inventories.manifests_holding(found.versions)
    manifests |= await unit.inventories.manifests_owned_by(tally.packages)
    images_changed = await reassess(unit, manifests, RiskCause.IMPORT, str(number), now)
    # After the risks: who follows the stream must not take an old risk for a fresh one.
    await refresh_feed_sets(unit, max_age, now)
    return ImportResult(
        import_id=str(number),
        ecosystems=ecosystems,
        as_of=as_of,
        added=len(tally.new),
        updated=tally.updated,
        unchanged=tally.unchanged,
        older=tally.older,
        removed=removed,
        withdrawn=tally.withdrawn,
        skipped=tally.skipped,
        skipped_records=tuple(tally.skipped_records),
        unknown_ecosystems=dict(tally.unknown.most_common(MOST_ECOSYSTEMS)),
        found=found,
        images_changed=images_changed,
    )


async def _merge_batch(unit: Unit, batch: Batch, read: Reader, tally: _Tally, now: datetime) -> None:
    known = await unit.advisories.known({sighting.record_id for sighting in batch.sightings})
    merged = merge(batch.sightings, known, now)
    tally.see(batch, now)
    tally.unchanged += merged.unchanged
    tally.older += merged.older
    reading = await read(merged.news)
    tally.skip(reading.skipped)
    added = [advisory for advisory in reading.advisories if advisory.names.record_id not in known]
    replaced = {
        known[advisory.names.record_id].number: advisory
        for advisory in reading.advisories
        if advisory.names.record_id in known
    }
    await _note_touched(unit, set(replaced), tally)
    await unit.advisories.replace(replaced)
    await _note_touched(unit, await unit.advisories.add(added) | set(replaced), tally)
    tally.new |= {advisory.names.record_id for advisory in added}
    tally.updated += len(replaced)
    tally.withdrawn += sum(advisory.is_withdrawn for advisory in reading.advisories)
    tally.unknown.update(feed for advisory in reading.advisories for feed in advisory.unknown)


async def _note_touched(unit: Unit, numbers: set[int], tally: _Tally) -> None:
    tally.touched |= numbers
    tally.packages |= await unit.advisories.packages_of(numbers)
    tally.names |= await unit.advisories.names_of(numbers)
    for vulnerabilities in (await unit.advisories.vulnerabilities_of(numbers)).values():
        tally.vulnerabilities.update(vulnerabilities)


def _as_of(header: ImportHeader, tally: _Tally, now: datetime) -> datetime:
    if header.as_of is not None and header.as_of > now:
        raise InvalidArgument("The time of the source lies in the future.", field="header.as_of")
    stated = header.as_of or tally.newest
    if stated is None:
        raise FeedUnclear(
            "Every record of the import is of the future, and it does not say of when it is. Nothing was imported.",
            field="header.as_of",
        )
    return stated


def _ecosystems(header: ImportHeader, tally: _Tally) -> tuple[str, ...]:
    ecosystems = header.ecosystems or tuple(sorted(tally.common or ()))
    if not ecosystems:
        raise FeedUnclear(
            "The import does not say which feeds it brings up to date, and its records speak of no ecosystem in "
            "common: name the ecosystems. Nothing was imported.",
            field="header.ecosystems",
        )
    return ecosystems


async def _remove_absent(
    unit: Unit, header: ImportHeader, ecosystems: tuple[str, ...], as_of: datetime, tally: _Tally, now: datetime
) -> int:
    feeds = await unit.advisories.feeds()
    newer = [name for name in ecosystems if name in feeds and as_of < feeds[name].as_of <= now]
    if newer:
        raise FeedGoesBack(
            f"The import is of {as_of:%Y-%m-%d %H:%M} UTC, older than what is held of {', '.join(newer)}; a complete "
            "one would take newer records away. Import it without declaring it complete. Nothing was imported."
        )
    absent: set[int] = set()
    for ecosystem in ecosystems:
        held = await unit.advisories.only_in(ecosystem, ecosystems)
        gone = {number for record_id, number in held.items() if record_id not in tally.seen}
        before = len(held.keys() - tally.new)
        if gone and len(gone) >= _LOST_SHARE * before and not header.accept_shrink:
            raise FeedShrinks(
                f"The complete import would remove {len(gone)} of the {before} records held of {ecosystem}. Repeat it "
                "with accept_shrink if that is right. Nothing was imported."
            )
        absent |= gone
    await _note_touched(unit, absent, tally)
    tally.touched -= absent
    await unit.advisories.remove(absent)
    return len(absent)


async def _name_again(unit: Unit, tally: _Tally) -> None:
    """Find out anew which vulnerabilities the touched advisories, and those of one group with them, speak of."""
    around = dict(await unit.advisories.names_around(tally.names))
    named = vulnerabilities_of(around.values())
    held = await unit.advisories.vulnerabilities_of(around)
    changed = {
        number: named[names.record_id] for number, names in around.items() if named[names.record_id] != held.get(number)
    }
    await unit.advisories.put_vulnerabilities(changed)
    for number, vulnerabilities in changed.items():
        tally.vulnerabilities.update(vulnerabilities, held.get(number, ()))
    for vulnerabilities in (await unit.advisories.vulnerabilities_of(tally.touched)).values():
        tally.vulnerabilities.update(vulnerabilities)
    tally.packages |= await unit.advisories.packages_of(changed)


async def _put_feeds(
    unit: Unit, ecosystems: tuple[str, ...], touched: set[str], as_of: datetime, now: datetime
) -> None:
    """Store how the feeds stand that were brought up to date, and those of which records changed besides."""
    held = await unit.advisories.feeds()
    names = {*ecosystems, *(touched & held.keys())}
    counts = await unit.advisories.counts(names)
    for name in sorted(names):
        before = held.get(name)
        feed = Feed(name, as_of, now, counts.get(name, 0), await unit.advisories.releases(name))
        if before is not None and name in ecosystems:
            feed = replace(feed, as_of=max(as_of, before.as_of) if before.as_of <= now else as_of)
        elif before is not None:
            feed = replace(feed, as_of=before.as_of, last_imported=before.last_imported)
        await unit.advisories.put_feed(feed)
