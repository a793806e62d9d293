"""A scanner's knowledge on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.audit import AuditLog
from chassis.database import Database, Settings, open_database
from chassis.migrations import migrate
from chassis.watch import Notifier
from scanner.store.database import DatabaseStore

from tests.factories.knowledge import Knowledge
from tests.factories.outcomes import NOW
from tests.fakes.clock import FakeClock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/scanner.db"))
    await migrate(opened, "scanner.store.migrations")
    yield opened
    await opened.close()


@pytest.fixture
async def knowledge(database: Database) -> Knowledge:
    clock = FakeClock(NOW)
    notifier = Notifier()
    return Knowledge(DatabaseStore(database, AuditLog(database, clock), notifier), clock, notifier)
