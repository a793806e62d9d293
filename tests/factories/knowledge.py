"""A scanner's knowledge, driven as scans, imports and callers drive it."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from chassis.identity import CALLER, Caller
from chassis.permissions import ROLES
from chassis.watch import Notifier
from chassis.workers import Workers
from scanner import images
from scanner.exposure import Finding, FindingFilter
from scanner.images import ScanOutcome
from scanner.imports import Importer
from scanner.learning import ImportHeader, ImportResult
from scanner.risk.model import FeedSet, ImageRisk
from scanner.store.database import DatabaseStore
from scanner.viewing import Viewer

from tests.factories.advisories import zip_of
from tests.factories.outcomes import REPOSITORY
from tests.fakes.clock import FakeClock

OPERATOR = Caller("example.org", "operator", "olga", ROLES["operator"])


def week(_ecosystem: str) -> timedelta:
    """How old feeds may grow."""
    return timedelta(days=7)


class Knowledge:
    """What a scanner knows, and the ways in which it learns."""

    def __init__(self, store: DatabaseStore, clock: FakeClock, notifier: Notifier) -> None:
        self.store = store
        self.clock = clock
        self.notifier = notifier
        self.viewer = Viewer(store, clock, week)
        self.importer = Importer(store, Workers(1), clock, week)

    async def scan(self, outcome: ScanOutcome) -> ImageRisk:
        """Record a scan."""
        async with self.store.begin() as unit:
            return await images.record_scan(unit, outcome, week)

    async def learn(self, *records: Mapping[str, Any], **header: Any) -> ImportResult:
        """Import records."""
        return await self.learn_zip(zip_of(*records), **header)

    async def learn_zip(self, body: bytes, **header: Any) -> ImportResult:
        """Import a zip, as an operator."""
        CALLER.set(OPERATOR)
        return await self.importer.run(ImportHeader(**header), _chunks(body))

    async def risk(self, digest: str, repository: str = REPOSITORY) -> ImageRisk:
        """Return an image's risk, with the age of its feeds."""
        return (await self.risk_and_feeds(digest, repository))[0]

    async def risk_and_feeds(self, digest: str, repository: str = REPOSITORY) -> tuple[ImageRisk, FeedSet | None]:
        """Return an image's risk, and the feeds that it needs."""
        found = await self.viewer.risks(OPERATOR, [(repository, digest)])
        return found.risks[0], found.feed_sets.get(found.risks[0].feed_set)

    async def findings(self, digest: str, repository: str = REPOSITORY, **wanted: Any) -> list[Finding]:
        """Return an image's findings."""
        image = (repository, digest)
        return list((await self.viewer.findings(OPERATOR, image, FindingFilter(**wanted), "", None, 1000)).records)

    async def counter(self) -> int:
        """Return the position of the stream of risks."""
        async with self.store.read() as unit:
            return await unit.risks.counter()

    def advance(self, **time: float) -> datetime:
        """Let time pass; returns what time it is then."""
        self.clock.advance(timedelta(**time).total_seconds())
        return self.clock.now()


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]
