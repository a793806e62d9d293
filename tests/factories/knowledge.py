"""A scanner's knowledge, driven as scans and imports drive it."""

import io
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from scanner import findings, images
from scanner.advisories.archive import Batch, read_archive
from scanner.exposure import Finding, FindingFilter
from scanner.images import ScanOutcome
from scanner.imports import ImportHeader, ImportResult, import_advisories
from scanner.risk.model import FeedSet, ImageRisk
from scanner.store.database import DatabaseStore

from tests.factories.advisories import zip_of
from tests.factories.inventories import NOW, REPOSITORY


def week(_ecosystem: str) -> timedelta:
    """How old feeds may grow."""
    return timedelta(days=7)


class Knowledge:
    """What a scanner knows, and the ways in which it learns."""

    def __init__(self, store: DatabaseStore) -> None:
        self.store = store
        self.now = NOW

    async def scan(self, outcome: ScanOutcome) -> ImageRisk:
        """Record a scan."""
        async with self.store.begin() as unit:
            return await images.record_scan(unit, outcome, week)

    async def learn(self, *records: Mapping[str, Any], **header: Any) -> ImportResult:
        """Import records."""
        return await self.learn_zip(zip_of(*records), **header)

    async def learn_zip(self, body: bytes, **header: Any) -> ImportResult:
        """Import a zip."""
        async with self.store.begin() as unit:
            return await import_advisories(unit, ImportHeader(**header), _batches(body, self.now), week, self.now)

    async def risk(self, digest: str, repository: str = REPOSITORY) -> ImageRisk:
        """Return an image's risk, with the age of its feeds."""
        return (await self.risk_and_feeds(digest, repository))[0]

    async def risk_and_feeds(self, digest: str, repository: str = REPOSITORY) -> tuple[ImageRisk, FeedSet | None]:
        """Return an image's risk, and the feeds that it needs."""
        async with self.store.read() as unit:
            return await images.get_risk(unit, repository, digest, week, self.now)

    async def findings(self, digest: str, repository: str = REPOSITORY, **wanted: Any) -> list[Finding]:
        """Return an image's findings."""
        async with self.store.read() as unit:
            return list(await findings.list_findings(unit, repository, digest, FindingFilter(**wanted), None, 1000))

    async def counter(self) -> int:
        """Return the position of the stream of risks."""
        async with self.store.read() as unit:
            return await unit.risks.counter()


async def _batches(body: bytes, now: datetime) -> AsyncIterator[Batch]:
    for batch in read_archive(io.BytesIO(body), now):
        yield batch
