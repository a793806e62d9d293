"""The store in a database that SQLAlchemy speaks to."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from chassis.audit import AuditLog
from chassis.database import Database
from chassis.requests import forget_answer, keep_answer
from sqlalchemy.ext.asyncio import AsyncSession

from signer.store.keys import KeyRows
from signer.store.revocations import RevocationRows
from signer.store.signings import SigningRows
from signer.store.trust import TrustRows


class SqlWork:
    """Implements the port Work: one transaction."""

    def __init__(self, session: AsyncSession, audit: AuditLog) -> None:
        self._session = session
        self._audit = audit
        self.keys = KeyRows(session)
        self.signings = SigningRows(session)
        self.revocations = RevocationRows(session)
        self.trust = TrustRows(session)

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does."""
        await self._audit.record(self._session, action, subject, details)

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        await keep_answer(self._session, result)

    async def forget_answer(self) -> None:
        """Forget the answer to the request's id: its work failed after all, and may be tried anew."""
        await forget_answer(self._session)


class SqlStore:
    """Implements the port Store. `changed` is called after each transaction that verifiers must hear of."""

    def __init__(self, database: Database, audit: AuditLog, changed: Callable[[], None]) -> None:
        self._database = database
        self._audit = audit
        self._changed = changed

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlWork]:
        """Open a transaction that only reads."""
        async with self._database.read() as session:
            yield SqlWork(session, self._audit)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlWork]:
        """Open a transaction that is stored when the block ends without an exception."""
        async with self._database.begin() as session:
            work = SqlWork(session, self._audit)
            yield work
        if work.trust.noted:
            self._changed()
