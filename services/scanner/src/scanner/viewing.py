"""What callers ask about, within what their bindings cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from chassis.clock import Clock
from chassis.identity import Caller

from scanner import findings, images
from scanner.catalogue import Image, ImageFilter, PlatformView, Repository
from scanner.errors import ImageNotFound
from scanner.exposure import (
    Exposure,
    Finding,
    FindingCursor,
    FindingFilter,
    VulnerabilityCursor,
    VulnerabilityFilter,
)
from scanner.risk.freshness import Feed, MaxAge, feed_set
from scanner.risk.model import FeedSet, ImageRisk, RiskChange
from scanner.store import Store, Unit

MOST_CHANGES = 100
"""Changes of its risk that are shown of an image."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Some records in order, and whether more follow."""

    records: Sequence[T]
    more: bool


def _listed(records: Sequence[T], limit: int) -> Listed[T]:
    return Listed(records[:limit], len(records) > limit)


@dataclass(frozen=True, slots=True)
class Risks:
    """Risks in the order asked for, and by name the feed sets that they name."""

    risks: Sequence[ImageRisk]
    feed_sets: Mapping[str, FeedSet]


@dataclass(frozen=True, slots=True)
class ImageView:
    """An image with what was read of its platforms, and the newest changes of its risk."""

    image: Image
    feed_set: FeedSet | None
    platforms: Sequence[PlatformView]
    changes: Sequence[RiskChange]


@dataclass(frozen=True, slots=True)
class FeedView:
    """A feed, and whether it is too old."""

    feed: Feed
    too_old: bool


class Viewer:
    """Answers callers."""

    def __init__(self, store: Store, clock: Clock, max_age: MaxAge) -> None:
        self._store = store
        self._clock = clock
        self._max_age = max_age

    async def repositories(self, caller: Caller, after: str, limit: int) -> Listed[Repository]:
        """Return repositories by name, those after `after`."""
        async with self._store.read() as unit:
            names = await covered(unit, caller, "")
            return _listed(await unit.catalogue.repositories(names, after, limit + 1), limit)

    async def images(
        self, caller: Caller, wanted: ImageFilter, repository: str, vulnerability: str, before: int | None, limit: int
    ) -> tuple[Listed[Image], Mapping[str, FeedSet]]:
        """Return images, the one recorded last first, with the freshness of their feeds reckoned in.

        Only those of `repository`, and with an open finding of `vulnerability`, unless empty.
        """
        async with self._store.read() as unit:
            meant = await unit.exposures.meant_by(vulnerability) if vulnerability else None
            repositories = await covered(unit, caller, repository)
            wanted = replace(wanted, repositories=repositories, vulnerabilities=meant)
            listed = _listed(await unit.catalogue.page(wanted, before, limit + 1), limit)
            aged = await self._aged(unit, [image.risk for image in listed.records])
            records = [replace(image, risk=risk) for image, risk in zip(listed.records, aged.risks, strict=True)]
            return Listed(records, listed.more), aged.feed_sets

    async def image(self, caller: Caller, repository: str, digest: str) -> ImageView:
        """Return an image. Raises ImageNotFound."""
        caller.scope.demand_repository(repository)
        async with self._store.read() as unit:
            image = await unit.catalogue.get(repository, digest)
            if image is None:
                raise ImageNotFound(f"No image {repository}@{digest} is known: it was never asked to be scanned.")
            aged = await self._aged(unit, [image.risk])
            return ImageView(
                image=replace(image, risk=aged.risks[0]),
                feed_set=aged.feed_sets.get(image.risk.feed_set),
                platforms=await unit.catalogue.platforms(image.cursor),
                changes=await unit.risks.changes_of(image.cursor, MOST_CHANGES),
            )

    async def risks(self, caller: Caller, wanted: Sequence[tuple[str, str]]) -> Risks:
        """Return the risks of images, by repository and digest."""
        for repository, _ in wanted:
            caller.scope.demand_repository(repository)
        async with self._store.read() as unit:
            held = [await images.risk_of(unit, repository, digest) for repository, digest in wanted]
            return await self._aged(unit, held)

    async def _aged(self, unit: Unit, risks: Sequence[ImageRisk]) -> Risks:
        return Risks(*await images.with_feeds(unit, risks, self._max_age, self._clock.now()))

    async def findings(
        self,
        caller: Caller,
        image: tuple[str, str],
        wanted: FindingFilter,
        vulnerability: str,
        after: FindingCursor | None,
        limit: int,
    ) -> Listed[Finding]:
        """Return findings of an image, by repository and digest, the worst first. Raises ImageNotFound."""
        caller.scope.demand_repository(image[0])
        async with self._store.read() as unit:
            if vulnerability:
                wanted = replace(wanted, vulnerabilities=await unit.exposures.meant_by(vulnerability))
            return _listed(await findings.list_findings(unit, *image, wanted, after, limit + 1), limit)

    async def vulnerabilities(
        self,
        caller: Caller,
        wanted: VulnerabilityFilter,
        repository: str,
        after: VulnerabilityCursor | None,
        limit: int,
    ) -> Listed[tuple[VulnerabilityCursor, Exposure]]:
        """Return the vulnerabilities that have an open finding, the worst first, in `repository` unless empty."""
        async with self._store.read() as unit:
            wanted = replace(wanted, repositories=await covered(unit, caller, repository))
            listed = _listed(await findings.list_vulnerabilities(unit, wanted, after, limit + 1), limit)
            places = [VulnerabilityCursor(int(one.severity), one.vulnerability.name) for one in listed.records]
            return Listed(list(zip(places, listed.records, strict=True)), listed.more)

    async def vulnerability(self, caller: Caller, name: str) -> Exposure:
        """Return a vulnerability. Raises VulnerabilityNotFound."""
        async with self._store.read() as unit:
            return await findings.get_vulnerability(unit, name, await covered(unit, caller, ""))

    async def feeds(self, after: str, limit: int) -> Listed[FeedView]:
        """Return the feeds that were ever imported, by ecosystem, those after `after`."""
        now = self._clock.now()
        async with self._store.read() as unit:
            known = await unit.advisories.feeds()
        views = [
            FeedView(feed, feed_set(name, known, self._max_age, now).too_old)
            for name, feed in sorted(known.items())
            if name > after
        ]
        return _listed(views, limit)


async def covered(unit: Unit, caller: Caller, repository: str) -> frozenset[str] | None:
    """The repositories that a question is about; None: all. Raises PermissionDenied for one that is not covered."""
    if repository:
        caller.scope.demand_repository(repository)
        return frozenset({repository})
    if caller.scope.repositories is None:
        return None
    names = await unit.catalogue.repository_names()
    return frozenset(name for name in names if caller.scope.covers_repository(name))
