"""A disk that is full, as a SQLite database sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chassis.database import Database
from sqlalchemy import event, text


@asynccontextmanager
async def room_for(database: Database, *, pages: int) -> AsyncIterator[None]:
    """Let the database grow by so many pages and no more, until the block ends."""
    async with database.read() as session:
        used = int((await session.execute(text("PRAGMA page_count"))).scalar_one())

    def limit(connection: Any, _record: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {used + pages}")

    await database.engine.dispose()
    event.listen(database.engine.sync_engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(database.engine.sync_engine, "connect", limit)
        await database.engine.dispose()
