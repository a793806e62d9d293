"""The schema of a service's database: applied by `python -m <service> migrate` alone, checked at every start."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from chassis.database import Database, metadata
from chassis.errors import FailedPrecondition

_ENVIRONMENT: Final = Path(__file__).with_name("alembic")


class SchemaMissing(FailedPrecondition):
    """The database has no schema, or an older one than the service needs."""


class SchemaUnknown(FailedPrecondition):
    """The database's schema is newer than the service knows."""


async def migrate(database: Database, package: str) -> None:
    """Bring the schema up to the newest of the migrations in `package`, for example `scanner.store.migrations`.

    On SQLite the whole runs in one writing transaction, under the lock that open_database took.
    """
    with as_file(files(package)) as versions:
        async with database.begin() as session:
            await (await session.connection()).run_sync(lambda connection: _upgrade(connection, versions))


async def check_schema(database: Database, package: str, service: str) -> None:
    """Raise SchemaMissing or SchemaUnknown where the schema is not the one that this service serves."""
    with as_file(files(package)) as versions:
        scripts = ScriptDirectory.from_config(_config(versions))
        known, newest = {script.revision for script in scripts.walk_revisions()}, scripts.get_current_head()
    async with database.read() as session:
        found = await (await session.connection()).run_sync(_revision)
    if found == newest:
        return
    if found is None or found in known:
        raise SchemaMissing(f"The database's schema is missing or old: run `python -m {service} migrate` first.")
    raise SchemaUnknown(f"The database's schema ({found}) is newer than this {service}: start a newer {service}.")


def _config(versions: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection, versions: Path) -> None:
    config = _config(versions)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
