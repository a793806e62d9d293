"""Revisions in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from policy.records import Revision
from policy.store.tables import revisions

_HEAD = (
    revisions.c.cluster,
    revisions.c.number,
    revisions.c.author,
    revisions.c.time,
    revisions.c.comment,
    revisions.c.sha256,
)


class RevisionRows:
    """Implements the port Revisions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def last(self, cluster: str) -> int:
        """The number of the newest."""
        newest = select(func.max(revisions.c.number)).where(revisions.c.cluster == cluster)
        return await self._session.scalar(newest) or 0

    async def add(self, revision: Revision, document: bytes) -> None:
        """Add one."""
        await self._session.execute(
            insert(revisions).values(
                cluster=revision.cluster,
                number=revision.number,
                author=revision.author,
                time=revision.time,
                comment=revision.comment,
                sha256=revision.sha256,
                document=document,
            )
        )

    async def get(self, cluster: str, number: int) -> tuple[Revision, bytes] | None:
        """One with its document."""
        wanted = select(*_HEAD, revisions.c.document).where(
            revisions.c.cluster == cluster, revisions.c.number == number
        )
        row = (await self._session.execute(wanted)).one_or_none()
        return None if row is None else (_revision(row), bytes(row.document))

    async def page(self, cluster: str, before: int, limit: int) -> Sequence[Revision]:
        """Those below `before`, the newest first."""
        page = (
            select(*_HEAD)
            .where(revisions.c.cluster == cluster, revisions.c.number < before)
            .order_by(revisions.c.number.desc())
            .limit(limit)
        )
        return [_revision(row) for row in await self._session.execute(page)]


def _revision(row: Row[*tuple[Any, ...]]) -> Revision:
    return Revision(row.cluster, row.number, row.author, row.time, row.comment, row.sha256)
