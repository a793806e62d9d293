"""Request ids: one piece of work for each, whatever ends the process in between."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from chassis.database import Database, Settings, open_database
from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.identity import CALLER, Caller
from chassis.requests import RequestIdReused, Requests, forget_answer, keep_answer
from chassis.tables import requests
from hallmark.signer.v1 import key_service_pb2 as pb
from sqlalchemy import text

from tests.fakes.clock import FakeClock

DAY = 24 * 3600


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    """A database with the table of request ids, and one of deeds."""
    CALLER.set(Caller("test.example", "custodian", "pat"))
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{folder}/test.db"), durable=True)
    try:
        async with database.begin() as session:
            await (await session.connection()).run_sync(requests.create, checkfirst=True)
            await session.execute(text("CREATE TABLE IF NOT EXISTS deeds (name TEXT)"))
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path) as made:
        yield made


class Desk:
    """Does a deed in one transaction, with its answer."""

    def __init__(self, database: Database, clock: FakeClock | None = None) -> None:
        self._database = database
        self._requests = Requests(database, clock or FakeClock())

    async def ask(self, name: str, after: Exception | None = None, request_id: str = "id-1") -> str:
        """Do it; `after` is raised when it is done. Return the answer."""

        async def work() -> str:
            async with self._database.begin() as session:
                await session.execute(text("INSERT INTO deeds VALUES (:name)"), {"name": name})
                done = len((await session.execute(text("SELECT name FROM deeds"))).all())
                await keep_answer(session, f"{name} {done}")
            if after:
                raise after
            return f"{name} {done}"

        request = pb.GetKeyRequest(name=name)
        answer = await self._requests.once("Do", request_id, request, pb.GetKeyRequest, _encode, work)
        return answer.name


def _encode(name: str) -> pb.GetKeyRequest:
    return pb.GetKeyRequest(name=name)


async def deeds(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.execute(text("SELECT name FROM deeds"))).scalars())


async def test_a_request_id_gives_the_first_answer_for_a_day(database: Database) -> None:
    clock = FakeClock()
    desk = Desk(database, clock)
    assert [await desk.ask("a"), await desk.ask("a")] == ["a 1", "a 1"]
    with pytest.raises(RequestIdReused):
        await desk.ask("b")
    CALLER.set(Caller("test.example", "custodian", "sam"))
    assert await desk.ask("b") == "b 2"
    CALLER.set(Caller("test.example", "custodian", "pat"))
    clock.advance(DAY + 1)
    assert await desk.ask("b") == "b 3"


@pytest.mark.parametrize("jump", [timedelta(hours=-30), timedelta(hours=23)])
async def test_a_clock_that_jumps_within_the_day_repeats_nothing(database: Database, jump: timedelta) -> None:
    clock = FakeClock()
    desk = Desk(database, clock)
    first = await desk.ask("a")
    clock.set(clock.now() + jump)
    assert await desk.ask("a") == first


async def test_without_an_id_each_request_is_done(database: Database) -> None:
    desk = Desk(database)
    assert [await desk.ask("a", request_id=""), await desk.ask("a", request_id="")] == ["a 1", "a 2"]


async def test_two_at_once_do_it_once(database: Database) -> None:
    desk = Desk(database)
    assert await asyncio.gather(*(desk.ask("a") for _ in range(5))) == ["a 1"] * 5
    assert await deeds(database) == ["a"]


async def test_what_goes_wrong_after_the_deed_leaves_its_answer(database: Database) -> None:
    desk = Desk(database)
    with pytest.raises(ZeroDivisionError):
        await desk.ask("a", after=ZeroDivisionError())
    assert await desk.ask("a") == "a 1"
    assert await deeds(database) == ["a"]


async def test_a_failure_is_not_kept(database: Database) -> None:
    async def fail() -> str:
        async with database.begin() as session:
            await keep_answer(session, "half")
            raise FailedPrecondition("not yet")

    with pytest.raises(FailedPrecondition, match="not yet"):
        await Requests(database, FakeClock()).once("Do", "id-1", pb.GetKeyRequest(), pb.GetKeyRequest, _encode, fail)
    assert await Desk(database).ask("a") == "a 1"


async def test_work_that_keeps_no_answer_is_a_defect(database: Database) -> None:
    async def work() -> str:
        return "done"

    with pytest.raises(RuntimeError, match="kept no answer"):
        await Requests(database, FakeClock()).once("Do", "id-1", pb.GetKeyRequest(), pb.GetKeyRequest, _encode, work)


async def test_an_id_that_is_too_long_is_refused(database: Database) -> None:
    with pytest.raises(InvalidArgument, match="128"):
        await Desk(database).ask("a", request_id="x" * 129)


async def test_unfinished_work_is_resumed_until_it_is_finished_or_forgotten(database: Database) -> None:
    asked, resumed = Requests(database, FakeClock()), list[str]()

    async def begin() -> str:
        async with database.begin() as session:
            await keep_answer(session, "begun")
        raise ConnectionError

    async def finish(name: str) -> str:
        resumed.append(name)
        async with database.begin() as session:
            await keep_answer(session, "finished")
        return "finished"

    async def give_up() -> str:
        async with database.begin() as session:
            await forget_answer(session)
        raise FailedPrecondition("no more")

    def later(first: pb.GetKeyRequest) -> Awaitable[str] | None:
        return finish(first.name) if first.name == "begun" else None

    def never(first: pb.GetKeyRequest) -> Awaitable[str] | None:
        return give_up()

    request, answer = pb.GetKeyRequest(), pb.GetKeyRequest
    with pytest.raises(ConnectionError):
        await asked.once("Do", "id-1", request, answer, _encode, begin, later)
    assert (await asked.once("Do", "id-1", request, answer, _encode, begin, later)).name == "finished"
    assert (await asked.once("Do", "id-1", request, answer, _encode, begin, later)).name == "finished"
    assert resumed == ["begun"]
    with pytest.raises(FailedPrecondition, match="no more"):
        await asked.once("Do", "id-1", request, answer, _encode, begin, never)
    with pytest.raises(ConnectionError):
        await asked.once("Do", "id-1", request, answer, _encode, begin, never)


KILLED = """
import asyncio, os, signal, sys
from chassis.clock import SystemClock
from chassis.database import Settings, open_database
from chassis.identity import CALLER, Caller
from chassis.requests import Requests, keep_answer
from hallmark.signer.v1 import key_service_pb2 as pb
from sqlalchemy import text

async def main(folder, moment):
    CALLER.set(Caller("test.example", "custodian", "pat"))
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{folder}/test.db"), durable=True)

    async def work():
        async with database.begin() as session:
            await session.execute(text("INSERT INTO deeds VALUES ('a')"))
            await keep_answer(session, "a 1")
            if moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    encode = lambda name: pb.GetKeyRequest(name=name)
    await Requests(database, SystemClock()).once(
        "Do", "id-1", pb.GetKeyRequest(name="a"), pb.GetKeyRequest, encode, work
    )

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(("moment", "left"), [("before", []), ("after", ["a"])])
async def test_a_kill_leaves_the_deed_and_its_answer_or_neither(tmp_path: Path, moment: str, left: list[str]) -> None:
    async with opened(tmp_path):
        pass
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path), moment)
    assert await process.wait() == -signal.SIGKILL
    async with opened(tmp_path) as database:
        assert await deeds(database) == left
        assert await Desk(database).ask("a") == "a 1"
        assert await deeds(database) == ["a"]
