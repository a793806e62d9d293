"""From changed knowledge to changed risk: package versions, the findings in them, the images that hold them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scanner.matching import changes_between, facts_of
from scanner.risk.assess import index_risk, manifest_risk, set_risk
from scanner.risk.freshness import MaxAge, feed_set
from scanner.risk.model import ImageRisk, RiskCause, RiskChange
from scanner.store import CHUNK, Unit


@dataclass(frozen=True, slots=True)
class Found:
    """What became of findings: how many opened, changed and closed, and in which package versions."""

    opened: int = 0
    updated: int = 0
    closed: int = 0
    versions: frozenset[int] = frozenset()

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.opened + other.opened,
            self.updated + other.updated,
            self.closed + other.closed,
            self.versions | other.versions,
        )


async def find_again(unit: Unit, versions: Collection[int], now: datetime) -> Found:
    """Compare package versions with the advisories held, and store what changes in their findings.

    Doing it again without new advisories changes nothing.
    """
    total = Found()
    ordered = sorted(versions)
    for start in range(0, len(ordered), CHUNK):
        total += await _find_again(unit, ordered[start : start + CHUNK], now)
    return total


async def _find_again(unit: Unit, versions: list[int], now: datetime) -> Found:
    matches = await unit.findings.matches(versions)
    ratings = await unit.findings.ratings({match.key.vulnerability for match in matches})
    changes = changes_between(await unit.findings.held(versions), facts_of(matches, ratings))
    await unit.findings.apply(changes, now)
    opened = len(changes.opened) + len(changes.reopened)
    return Found(opened, len(changes.updated), len(changes.closed), changes.package_versions)


async def reassess(unit: Unit, images: Iterable[int], cause: RiskCause, cause_id: str, now: datetime) -> int:
    """Assess images, by number, and the indexes that hold them, anew. Returns how many of them changed."""
    numbers = set(images)
    manifests = await unit.risks.assessed(numbers)
    sets = {image.package_set for image in manifests}
    by_set = {number: set_risk(await unit.findings.open_in(number)) for number in sorted(sets)}
    risks = {image.number: manifest_risk(image, by_set[image.package_set]) for image in manifests}
    changed = await _put_changed(unit, risks, cause, cause_id, now)
    indexes = await unit.risks.indexes_around(numbers)
    platforms = await unit.risks.of({number for index in indexes for _, number in index.platforms})
    of_indexes = {index.number: index_risk(index, platforms) for index in indexes}
    return changed + await _put_changed(unit, of_indexes, cause, cause_id, now)


async def _put_changed(
    unit: Unit, risks: Mapping[int, ImageRisk], cause: RiskCause, cause_id: str, now: datetime
) -> int:
    held = await unit.risks.of(risks)
    changed = {number: risk for number, risk in risks.items() if number not in held or risk.differs_from(held[number])}
    history = {
        number: RiskChange(now, cause, cause_id, risk.state, risk.counts)
        for number, risk in changed.items()
        if number not in held or risk.level != held[number].level
    }
    await unit.risks.put(changed)
    await unit.risks.add_changes(history)
    return len(changed)


async def refresh_feed_sets(unit: Unit, max_age: MaxAge, now: datetime, named: Iterable[str] = ()) -> int:
    """Store how fresh every feed set is at `now`, those `named` anew among them. Returns how many changed."""
    feeds = await unit.advisories.feeds()
    held = await unit.risks.feed_sets()
    fresh = [feed_set(name, feeds, max_age, now) for name in sorted({*named, *held}) if name]
    changed = [one for one in fresh if one.name not in held or one.differs_from(held[one.name])]
    await unit.risks.put_feed_sets(changed)
    return len(changed)
