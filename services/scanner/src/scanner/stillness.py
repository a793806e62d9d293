"""Images that nobody keeps fresh: those of a disabled target stand still, with the results that they have."""

from collections.abc import Iterable
from datetime import datetime

from scanner.reassessment import reassess, refresh_feed_sets
from scanner.risk.freshness import MaxAge, Still, feed_set, feed_set_name
from scanner.risk.model import RiskCause
from scanner.store import Unit


async def stand_still(unit: Unit, images: Iterable[tuple[str, str]], max_age: MaxAge, now: datetime) -> None:
    """Compare these images, by repository and digest, with no advisories any more.

    Their platforms stand still with them, but for those that another image needs fresh.
    """
    chosen = await unit.inventories.numbers_of(images)
    platforms = await unit.inventories.platforms_of(chosen)
    indexes = {index for holding in platforms.values() for index in holding}
    resting = chosen | await unit.inventories.still(indexes)
    asked_for = await unit.inventories.listed(platforms)
    with_them = {number for number, holding in platforms.items() if holding <= resting and number not in asked_for}
    moving = chosen | with_them
    moving -= await unit.inventories.still(moving)
    await _assess_again(unit, moving, await _put_still(unit, moving, max_age, now), max_age, now)


async def stand_still_anew(unit: Unit, numbers: Iterable[int], max_age: MaxAge, now: datetime) -> set[str]:
    """Those of these images that stand still, by number, are being scanned: they stand still from now on.

    Returns the names of their feed sets.
    """
    return await _put_still(unit, await unit.inventories.still(numbers), max_age, now)


async def keep_fresh(unit: Unit, images: Iterable[tuple[str, str]], max_age: MaxAge, now: datetime) -> None:
    """Compare these images, by repository and digest, with advisories again, and catch up with what they missed."""
    chosen = await unit.inventories.numbers_of(images)
    chosen |= set(await unit.inventories.platforms_of(chosen))
    moving = await unit.inventories.still(chosen)
    ecosystems = await unit.inventories.ecosystems_of(moving)
    for number in moving:
        await unit.inventories.put_still(number, None, now)
    await _assess_again(unit, moving, set(map(feed_set_name, ecosystems.values())), max_age, now)


async def _put_still(unit: Unit, numbers: set[int], max_age: MaxAge, now: datetime) -> set[str]:
    feeds = await unit.advisories.feeds()
    names = set()
    for number, ecosystems in (await unit.inventories.ecosystems_of(numbers)).items():
        name = feed_set_name(ecosystems)
        still = Still(feed_set(name, feeds, max_age, now).as_of if name else None)
        await unit.inventories.put_still(number, still, now)
        names.add(feed_set_name(ecosystems, still))
    return names


async def _assess_again(unit: Unit, numbers: set[int], feed_sets: set[str], max_age: MaxAge, now: datetime) -> None:
    # The feed sets before the risks that name them: who follows the stream knows them then.
    await refresh_feed_sets(unit, max_age, now, feed_sets)
    await reassess(unit, numbers, RiskCause.IMPORT, str(await unit.advisories.revision()), now)
