"""Calls that are cancelled while they read or write leave nothing behind that waits for ever."""

import asyncio
from pathlib import Path

from chassis.database import Database, Settings, open_database
from sqlalchemy import text

SLOW = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n")


async def slow(database: Database, *, writing: bool) -> None:
    async with database.begin() if writing else database.read() as session:
        await session.execute(SLOW)


async def cancelled_twice(database: Database, *, writing: bool, turns: int) -> None:
    before = asyncio.all_tasks()
    call = asyncio.create_task(slow(database, writing=writing))
    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()
    while not call.done():
        # The second one comes while the connection is being closed.
        if asyncio.all_tasks() - before - {call}:
            call.cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await asyncio.gather(*(asyncio.all_tasks() - before - {call}), return_exceptions=True)


async def test_a_call_that_is_cancelled_twice_lets_go(tmp_path: Path) -> None:
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/test.db"))
    for turns in range(1, 60):
        await cancelled_twice(database, writing=turns % 2 == 0, turns=turns)
    async with database.begin() as session:
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()


async def test_a_closed_connection_holds_no_lock_however_long_its_cursor_lives(tmp_path: Path) -> None:
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/test.db"))
    async with database.begin() as session:
        connection = await (await session.connection()).get_raw_connection()
        driver = connection.driver_connection
        assert driver is not None
        cursor = await driver.cursor()
        await cursor.execute("SELECT 1 UNION SELECT 2")
        await driver.close()
        async with asyncio.timeout(5), database.begin() as another:
            assert (await another.execute(text("SELECT 3"))).scalar_one() == 3
        assert cursor is not None
    await database.close()
