"""A service's database: one SQLite file, held by one process, or whatever SQLAlchemy's URL names.

Every writing transaction begins IMMEDIATE, so that two writers wait for each other instead of failing half-way.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiosqlite
import msgspec
from sqlalchemy import DateTime, Dialect, MetaData, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator

from chassis.config import ConfigError
from chassis.errors import FailedPrecondition, Refusal, ResourceExhausted, Unavailable

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""The tables of this process's service, the chassis' own among them."""

BUSY_SECONDS = 10
_WRITES = "hallmark_writes"
_PRIMARY = 0xFF  # the bits of a SQLite result code that name its kind


class DatabaseInUse(FailedPrecondition):
    """Another process holds the database file."""


class StorageFull(ResourceExhausted):
    """The disk, or the quota of the database, is full; nothing of the transaction was kept."""


class StorageFailed(Unavailable):
    """The files of the database cannot be read or written: the disk fails, or is too full to tell."""


class DatabaseBusy(Unavailable):
    """The database does not answer in time."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the database is: `url` as SQLAlchemy writes it, for example `sqlite+aiosqlite:////var/lib/x.db`."""

    url: str


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database. Naive datetimes are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as naive UTC, the one form that every engine compares alike."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Database:
    """An engine, and for SQLite the lock that keeps a second process out."""

    def __init__(self, engine: AsyncEngine, lock: int | None, opened: "set[_SqliteConnection]") -> None:
        self.engine = engine
        self._opened = opened
        self._writing = engine.execution_options(**{_WRITES: True})
        self._lock = lock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A writing transaction: kept when the block ends, undone when it raises. Raises StorageFull, DatabaseBusy."""
        async with self._session(self._writing) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A reading transaction: one state of the database, whoever writes meanwhile. Raises DatabaseBusy."""
        async with self._session(self.engine) as session:
            yield session

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise _refusal(error) from error

    async def close(self) -> None:
        """Close every connection and let the file go."""
        await self.engine.dispose()
        # A call that was cancelled may still hold a connection: its thread must not outlive the event loop.
        await asyncio.gather(*(connection.ended() for connection in list(self._opened)))
        if self._lock is not None:
            os.close(self._lock)


def _refusal(error: OperationalError) -> Refusal | OperationalError:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return StorageFull("The database's disk is full; nothing was changed. Make room and try again.")
    if code is not None and code & _PRIMARY in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseBusy("The database is held by somebody else for too long; try again.")
    if code is not None and code & _PRIMARY == sqlite3.SQLITE_IOERR:
        name = getattr(error.orig, "sqlite_errorname", "SQLITE_IOERR")
        return StorageFailed(f"The database's files cannot be read or written ({name}): is its disk full, or failing?")
    return error


def open_database(settings: Settings, *, durable: bool = False) -> Database:
    """Open the database. `durable` makes SQLite sync fully at each commit.

    Raises ConfigError for a URL that is none, DatabaseInUse, StorageFailed where its directory cannot be written to.
    """
    url = _url(settings)
    sqlite = url.get_backend_name() == "sqlite"
    lock = _hold(Path(url.database)) if sqlite and url.database else None
    opened: set[_SqliteConnection] = set()
    arguments = {"timeout": BUSY_SECONDS, "async_creator_fn": _creator(opened)} if sqlite else {}
    engine = create_async_engine(url, connect_args=arguments)
    if sqlite:
        _prepare_sqlite(engine, durable)
    return Database(engine, lock, opened)


class _SqliteFile(sqlite3.Connection):
    """A connection that closes the cursors that `cursor` gave with it.

    SQLite keeps a closed connection, with its locks, while a statement of it is half-way; a cancelled call leaves a
    cursor with one until the garbage collector finds it.
    """

    def __init__(self, *where: Any, **options: Any) -> None:
        super().__init__(*where, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *given: Any, **named: Any) -> Any:
        """Give a new cursor."""
        cursor = super().cursor(*given, **named)
        self._cursors.add(cursor)
        return cursor

    def close(self) -> None:
        """Let go of every lock, and close."""
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()
        super().close()


class _SqliteConnection(aiosqlite.Connection):
    """A connection that may be told to stop twice, whose stops can be waited for, and which closes whatever happens.

    SQLAlchemy tells it twice where a call is cancelled again while its connection closes; the thread has ended by then,
    and aiosqlite would wait for its answer for ever. What is cancelled in between, aiosqlite forgets without closing.
    """

    _file: _SqliteFile | None = None
    _stopped: "asyncio.Future[Any] | None" = None

    def __init__(self, *where: Any, **options: Any) -> None:
        def connect() -> sqlite3.Connection:
            self._file = sqlite3.connect(*where, factory=_SqliteFile, **options)
            return self._file

        super().__init__(connect, iter_chunk_size=64)
        self._thread.daemon = True  # it shall not keep a process alive that wants to end

    def stop(self) -> "asyncio.Future[Any] | None":
        """Stop the thread after what it does now; None where it was told before."""
        if self._stopped is not None:
            return None
        self._tx.put_nowait((None, self._close_file))
        self._stopped = super().stop()
        return self._stopped

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def gone(self) -> bool:
        """Whether the thread has stopped."""
        return self._stopped is not None and self._stopped.done()

    async def ended(self) -> None:
        """Wait until the thread has stopped, telling it to where nobody has."""
        if not self._thread.is_alive():
            return
        self.stop()
        if self._stopped is not None:
            await self._stopped


def _creator(opened: set[_SqliteConnection]) -> Callable[..., _SqliteConnection]:
    def create(*where: Any, **options: Any) -> _SqliteConnection:
        connection = _SqliteConnection(*where, **options)
        opened.difference_update([one for one in opened if one.gone])
        opened.add(connection)
        return connection

    return create


def _url(settings: Settings) -> URL:
    try:
        url = make_url(settings.url)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        # SQLAlchemy's sentence may repeat the URL, and with it a password.
        raise ConfigError(f"database.url names no database that is supported ({type(error).__name__}).") from None
    if not url.get_dialect().is_async:
        raise ConfigError(
            f"database.url names the driver of {url.drivername!r}, which cannot be awaited; name another."
        )
    return url


def _hold(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageFailed(f"The directory of {path} cannot be written to: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise DatabaseInUse(
            f"{path} is in use by another process. Stop that one first; two may not share a SQLite file."
        ) from None
    return lock


def _prepare_sqlite(engine: AsyncEngine, durable: bool) -> None:
    def connected(connection: Any, _record: object) -> None:
        # The driver would begin transactions of its own; SQLAlchemy's `begin` below does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
