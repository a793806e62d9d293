"""A database that does not answer is told of, in bounded time, and so is one that answers again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from chassis.database import Database, Settings, open_database
from chassis.database_health import DatabaseHealth
from chassis.health import Health
from sqlalchemy import text


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/a.db"))
    await change(opened, "CREATE TABLE alembic_version (version_num TEXT)")
    yield opened
    await opened.close()


async def change(database: Database, statement: str) -> None:
    async with database.begin() as session:
        await session.execute(text(statement))


async def test_a_database_that_answers(database: Database) -> None:
    asked = DatabaseHealth(database)
    assert asked.problem() is None, "it has answered when the service began"
    await asked.ask()
    assert Health({"database": asked.problem}).problems() == {}


async def test_a_database_that_was_damaged_and_mended(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    asked = DatabaseHealth(database)
    health = Health({"database": asked.problem})
    await change(database, "DROP TABLE alembic_version")
    await asked.ask()
    await asked.ask()
    assert health.problems() == {"database": "The database does not answer (OperationalError)."}
    await change(database, "CREATE TABLE alembic_version (version_num TEXT)")
    caplog.set_level("INFO")
    await asked.ask()
    assert health.problems() == {}
    assert [record.message for record in caplog.records] == ["database does not answer", "database answers again"]


async def test_a_database_whose_connections_are_all_taken(database: Database) -> None:
    asked = DatabaseHealth(database, seconds=0.05)
    async with AsyncExitStack() as stack:
        for _ in range(15):
            session = await stack.enter_async_context(database.read())
            await session.execute(text("SELECT 1"))
        await asked.ask()
        assert asked.problem() == "The database does not answer (TimeoutError)."
    await asked.ask()
    assert asked.problem() is None
