"""The database, its schema, page tokens and the audit log."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chassis.audit import AuditLog
from chassis.config import ConfigError
from chassis.database import Database, DatabaseInUse, Settings, StorageFailed, StorageFull, open_database
from chassis.errors import InvalidArgument
from chassis.identity import CALLER, Caller
from chassis.migrations import SchemaMissing, SchemaUnknown, check_schema, migrate
from chassis.paging import InvalidPageToken, open_page
from chassis.tables import audit_entries, requests
from hallmark.signer.v1 import key_service_pb2 as pb
from sqlalchemy import insert, select, text

from tests.fakes.clock import FakeClock

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("table_{revision}", sa.Column("number", sa.Integer, primary_key=True))
"""


REQUEST_COLUMNS = ("caller", "method", "request_id", "body")
REQUEST_REST = {"answer": b"", "expires": datetime(2026, 1, 1, tzinfo=UTC)}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/test.db"), durable=True)
    async with opened.begin() as session:
        connection = await session.connection()
        for table in (audit_entries, requests):
            await connection.run_sync(table.create)
    token = CALLER.set(Caller("test.example", "custodian", "pat"))
    yield opened
    CALLER.reset(token)
    await opened.close()


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *revisions: str) -> str:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    for before, revision in zip((None, *revisions), revisions, strict=False):
        (folder / f"{revision}.py").write_text(MIGRATION.format(revision=revision, before=repr(before)))
    monkeypatch.syspath_prepend(tmp_path)
    return name


async def test_a_second_process_on_the_same_file_is_refused(database: Database, tmp_path: Path) -> None:
    program = (
        "from chassis.database import DatabaseInUse, Settings, open_database\n"
        f"try: open_database(Settings(url='sqlite+aiosqlite:///{tmp_path}/test.db'))\n"
        "except DatabaseInUse as refusal: print(refusal.message)"
    )
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    printed, _ = await other.communicate()
    assert b"test.db is in use by another process" in printed


async def test_readers_see_the_state_before_a_writer_without_waiting_for_it(database: Database) -> None:
    async with database.begin() as writer:
        await writer.execute(insert(requests).values(**dict.fromkeys(REQUEST_COLUMNS, "x"), **REQUEST_REST))
        async with asyncio.timeout(5), database.read() as reader:
            assert (await reader.execute(select(requests))).all() == []


async def test_the_file_is_free_again_after_closing(tmp_path: Path) -> None:
    settings = Settings(url=f"sqlite+aiosqlite:///{tmp_path}/test.db")
    await open_database(settings).close()
    second = open_database(settings)
    with pytest.raises(DatabaseInUse):
        open_database(settings)
    await second.close()


async def test_a_full_disk_is_said_so_and_keeps_nothing(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(text("PRAGMA max_page_count = 20"))
        await session.execute(text("CREATE TABLE heap (data BLOB)"))

    async def fill() -> None:
        async with database.begin() as session:
            await session.execute(text("PRAGMA max_page_count = 20"))
            for _ in range(100):
                await session.execute(text("INSERT INTO heap VALUES (zeroblob(4000))"))

    with pytest.raises(StorageFull, match="nothing was changed"):
        await fill()
    async with database.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM heap"))).scalar() == 0


@pytest.mark.parametrize(
    "url", ["", "secret-garbage", "secretsql://host/x", "sqlite+secret:///x", "sqlite:////secret.db"]
)
def test_a_url_that_names_no_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.url names") as error:
        open_database(Settings(url=url))
    assert "secret" not in str(error.value)


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match=r"file/test\.db cannot be written to"):
        open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/file/test.db"))


CRAMPED = """
import asyncio, resource, sys
from chassis.database import Settings, StorageFailed, StorageFull, open_database
from sqlalchemy import text

async def main(url):
    database = open_database(Settings(url=url), durable=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    number = 0
    try:
        while True:
            async with database.begin() as session:
                await session.execute(text("INSERT INTO heap VALUES (zeroblob(4000))"))
            number += 1
    except (StorageFailed, StorageFull) as refusal:
        print(number, refusal.message)
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


async def test_files_that_may_not_grow_are_said_so_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/cramped.db"
    opened = open_database(Settings(url=url), durable=True)
    async with opened.begin() as session:
        await session.execute(text("CREATE TABLE heap (data BLOB)"))
    await opened.close()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CRAMPED, url, stdout=pipe, stderr=pipe)
    said, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    number, _, sentence = said.decode().partition(" ")
    assert "disk" in sentence
    again = open_database(Settings(url=url), durable=True)
    async with again.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM heap"))).scalar_one() == int(number) > 0
    await again.close()


async def test_a_naive_moment_is_refused_and_an_aware_one_comes_back(database: Database) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    audit = AuditLog(database, FakeClock(moment))
    number = await audit.intend("key.create", "release", {"vault": "embedded"})
    await audit.done(number, {})
    async with database.read() as session:
        rows = (await session.execute(select(audit_entries).order_by("number"))).all()
    assert [(row.outcome, row.time, row.caller, row.subject, row.intent) for row in rows] == [
        ("INTENDED", moment, "spiffe://test.example/custodian/pat", "release", None),
        ("DONE", moment, "spiffe://test.example/custodian/pat", "release", number),
    ]
    with pytest.raises(Exception, match="without a time zone"):
        async with database.begin() as session:
            await session.execute(insert(audit_entries).values(time=datetime(2026, 3, 1)))  # noqa: DTZ001


async def test_migrations_and_the_check_at_start(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = package(tmp_path, monkeypatch, "older_schema", "a1")
    newer = package(tmp_path, monkeypatch, "newer_schema", "a1", "b2")
    with pytest.raises(SchemaMissing, match="python -m signer migrate"):
        await check_schema(database, older, "signer")
    await migrate(database, older)
    await check_schema(database, older, "signer")
    with pytest.raises(SchemaMissing):
        await check_schema(database, newer, "signer")
    await migrate(database, newer)
    await check_schema(database, newer, "signer")
    with pytest.raises(SchemaUnknown, match="newer"):
        await check_schema(database, older, "signer")


async def test_a_page_token_continues_one_list_of_one_caller(database: Database) -> None:
    token = open_page(pb.ListKeysRequest(page_size=10)).token("k10")
    page = open_page(pb.ListKeysRequest(page_size=20, page_token=token))
    assert (page.size, page.cursor) == (20, "k10")
    for forged in ("x", "a" * 3000, token[:-4] + "====", token[4:]):
        with pytest.raises(InvalidPageToken):
            open_page(pb.ListKeysRequest(page_token=forged))
    CALLER.set(Caller("test.example", "auditor", "sam"))
    with pytest.raises(InvalidPageToken):
        open_page(pb.ListKeysRequest(page_token=token))
    with pytest.raises(InvalidArgument, match="1000"):
        open_page(pb.ListKeysRequest(page_size=1001))


async def test_no_thread_outlives_a_database_that_is_closed_under_a_call(tmp_path: Path) -> None:
    before, entered = set(threading.enumerate()), asyncio.Event()
    opened = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/closed.db"))

    async def hold() -> None:
        async with opened.read() as session:
            await session.execute(text("SELECT 1"))
            entered.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await entered.wait()
    left = set(threading.enumerate()) - before
    assert left != set()
    await opened.close()
    for thread in left:
        thread.join(10)
    assert [thread for thread in left if thread.is_alive()] == []
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
