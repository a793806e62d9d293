"""The migrations make the tables that the store reads."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chassis.migrations import check_schema
from signer.store.tables import metadata

from tests.factories.workshop import Workshop


async def test_the_schema_is_that_of_the_tables(shop: Workshop) -> None:
    await check_schema(shop.database, "signer.store.migrations", "signer")
    async with shop.database.read() as session:
        connection = await session.connection()
        differences = await connection.run_sync(
            lambda plain: compare_metadata(MigrationContext.configure(plain), metadata)
        )
    assert differences == []
