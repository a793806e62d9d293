"""The audit log: who changed what.

An entry announces a deed before it leaves the process, another says what became of it.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import Clock
from chassis.database import Database
from chassis.identity import correlation_id, current_caller
from chassis.tables import audit_entries

_LONGEST_SUBJECT: Final = 512


class AuditLog:
    """Writes entries into the service's own database; the caller and the correlation id are those of the request."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def intend(self, action: str, subject: str, details: Mapping[str, str]) -> int:
        """Announce a deed, durably, before it is done; return the entry's number."""
        async with self._database.begin() as session:
            return await self._write(session, "INTENDED", action, subject, details)

    async def done(self, intent: int, details: Mapping[str, str]) -> None:
        """Say that an announced deed is done."""
        await self._conclude("DONE", intent, details)

    async def failed(self, intent: int, details: Mapping[str, str]) -> None:
        """Say that an announced deed was refused or failed, and why."""
        await self._conclude("FAILED", intent, details)

    async def record(self, session: AsyncSession, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write a deed that is done within this very transaction: both are kept, or neither."""
        await self._write(session, "DONE", action, subject, details)

    async def _conclude(self, outcome: str, intent: int, details: Mapping[str, str]) -> None:
        announced = select(audit_entries.c.action, audit_entries.c.subject).where(audit_entries.c.number == intent)
        async with self._database.begin() as session:
            action, subject = (await session.execute(announced)).one()
            await self._write(session, outcome, action, subject, details, intent=intent)

    async def _write(
        self,
        session: AsyncSession,
        outcome: str,
        action: str,
        subject: str,
        details: Mapping[str, str],
        *,
        intent: int | None = None,
    ) -> int:
        entry = insert(audit_entries).values(
            time=self._clock.now(),
            caller=current_caller().spiffe_id,
            action=action,
            subject=subject[:_LONGEST_SUBJECT],
            outcome=outcome,
            intent=intent,
            details=dict(details),
            correlation_id=correlation_id(),
        )
        written = await session.execute(entry.returning(audit_entries.c.number))
        number: int = written.scalar_one()
        return number
