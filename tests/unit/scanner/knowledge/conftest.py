"""A scanner's knowledge on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.database import Settings, metadata, open_database
from scanner.store.database import DatabaseStore
from scanner.store.tables import risk_position
from sqlalchemy import insert

from tests.factories.knowledge import Knowledge


@pytest.fixture
async def knowledge(tmp_path: Path) -> AsyncIterator[Knowledge]:
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/scanner.db"))
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(risk_position).values(only=1, counter=0))
    yield Knowledge(DatabaseStore(database))
    await database.close()
