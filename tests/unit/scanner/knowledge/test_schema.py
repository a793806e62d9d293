"""The migrations make the schema that the code expects."""

from pathlib import Path

import scanner.store.database  # the tables stand in the metadata once this is loaded
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chassis.database import Settings, open_database
from chassis.migrations import check_schema, migrate
from scanner.store.tables import metadata
from sqlalchemy import Connection

MIGRATIONS = "scanner.store.migrations"


def differences(connection: Connection) -> list[object]:
    assert scanner.store.database.DatabaseUnit is not None
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/scanner.db"))
    await migrate(database, MIGRATIONS)
    await migrate(database, MIGRATIONS)
    await check_schema(database, MIGRATIONS, "scanner")
    async with database.read() as session:
        found = await (await session.connection()).run_sync(differences)
    await database.close()
    assert found == []
