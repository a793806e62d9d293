"""The scanner's store over SQLAlchemy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.store.advisories import AdvisoryRows
from scanner.store.catalogue import CatalogueRows
from scanner.store.exposure import ExposureRows
from scanner.store.findings import FindingRows
from scanner.store.inventories import InventoryRows
from scanner.store.risks import RiskRows


class DatabaseUnit:
    """Implements the port Unit."""

    def __init__(self, session: AsyncSession) -> None:
        self.inventories = InventoryRows(session)
        self.advisories = AdvisoryRows(session)
        self.findings = FindingRows(session)
        self.risks = RiskRows(session)
        self.catalogue = CatalogueRows(session)
        self.exposures = ExposureRows(session)


class DatabaseStore:
    """Implements the port Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[DatabaseUnit]:
        """Begin a transaction; it is kept when the block ends, and undone when it raises."""
        async with self._database.begin() as session:
            yield DatabaseUnit(session)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[DatabaseUnit]:
        """Begin a transaction that only reads, without waiting for those that write."""
        async with self._database.read() as session:
            yield DatabaseUnit(session)
