"""The store in a database that SQLAlchemy speaks to."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from chassis.audit import AuditLog
from chassis.database import Database
from chassis.requests import keep_answer
from sqlalchemy.ext.asyncio import AsyncSession

from policy.store.activations import ActivationRows
from policy.store.decisions import DecisionRows
from policy.store.revisions import RevisionRows


class SqlWork:
    """Implements the port Work: one transaction."""

    def __init__(self, session: AsyncSession, audit: AuditLog) -> None:
        self._session = session
        self._audit = audit
        self.revisions = RevisionRows(session)
        self.activations = ActivationRows(session)
        self.decisions = DecisionRows(session)

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does."""
        await self._audit.record(self._session, action, subject, details)

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        await keep_answer(self._session, result)


class SqlStore:
    """Implements the port Store. `activated` is called after each transaction that put a revision in force."""

    def __init__(self, database: Database, audit: AuditLog, activated: Callable[[], None]) -> None:
        self._database = database
        self._audit = audit
        self._activated = activated

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlWork]:
        """Open a transaction that is stored when the block ends without an exception."""
        async with self._database.begin() as session:
            work = SqlWork(session, self._audit)
            yield work
        if work.activations.added:
            self._activated()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlWork]:
        """Open a transaction that only reads."""
        async with self._database.read() as session:
            yield SqlWork(session, self._audit)
