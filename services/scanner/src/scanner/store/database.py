"""The scanner's store over SQLAlchemy."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from chassis.audit import AuditLog
from chassis.database import Database
from chassis.requests import keep_answer
from chassis.watch import Notifier
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.store.advisories import AdvisoryRows
from scanner.store.catalogue import CatalogueRows
from scanner.store.claims import ClaimRows
from scanner.store.exposure import ExposureRows
from scanner.store.findings import FindingRows
from scanner.store.inventories import InventoryRows
from scanner.store.pushes import PushRows
from scanner.store.risks import RiskRows
from scanner.store.scans import ScanRows
from scanner.store.targets import TargetRows


class DatabaseUnit:
    """Implements the port Unit."""

    def __init__(self, session: AsyncSession, audit: AuditLog) -> None:
        self._session = session
        self._audit = audit
        self.inventories = InventoryRows(session)
        self.claims = ClaimRows(session, self.inventories)
        self.advisories = AdvisoryRows(session)
        self.findings = FindingRows(session)
        self.risks = RiskRows(session)
        self.catalogue = CatalogueRows(session)
        self.exposures = ExposureRows(session)
        self.scans = ScanRows(session)
        self.targets = TargetRows(session)
        self.pushes = PushRows(session)

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does; the caller is the request's."""
        await self._audit.record(self._session, action, subject, details)

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        await keep_answer(self._session, result)


class DatabaseStore:
    """Implements the port Store. `notifier` hears of what is new in the stream of risks."""

    def __init__(self, database: Database, audit: AuditLog, notifier: Notifier) -> None:
        self._database = database
        self._audit = audit
        self._notifier = notifier
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[DatabaseUnit]:
        """Begin a transaction; it is kept when the block ends, and undone when it raises.

        Writers of this process wait for each other here, since an import may last longer than an engine lets wait.
        """
        async with self._writing, self._database.begin() as session:
            unit = DatabaseUnit(session, self._audit)
            yield unit
        if unit.risks.changed_anything:
            self._notifier.notify()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[DatabaseUnit]:
        """Begin a transaction that only reads, without waiting for those that write."""
        async with self._database.read() as session:
            yield DatabaseUnit(session, self._audit)
