"""Announced pushes in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.store.chunks import chunked
from scanner.store.scan_tables import pushes
from scanner.target_records import Push


class PushRows:
    """Implements the port Pushes within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, push: Push, now: datetime) -> None:
        """Add a push, unless it waits already."""
        if (await self._session.execute(select(pushes.c.number).where(_is(push)))).first() is None:
            values = {"target": push.target, "repository": push.repository, "digest": push.digest, "tag": push.tag}
            await self._session.execute(insert(pushes).values(**values, received=now))

    async def due(self, limit: int, after: datetime, now: datetime) -> Sequence[Push]:
        """Return those that have waited longest; of pushes by digest alone, those not received between these times."""
        query = select(pushes).where(or_(pushes.c.tag != "", ~pushes.c.received.between(after, now)))
        query = query.order_by(pushes.c.number).limit(limit)
        rows = (await self._session.execute(query)).mappings()
        return [Push(row["target"], row["repository"], row["digest"], row["tag"]) for row in rows]

    async def remove(self, push: Push) -> None:
        """Remove a push that was looked into."""
        await self._session.execute(delete(pushes).where(_is(push)))

    async def remove_untagged(self, repository: str, digests: Collection[str]) -> None:
        """Remove the pushes of these manifests by digest alone."""
        by_digest = (pushes.c.repository == repository) & (pushes.c.tag == "")
        for chunk in chunked(digests):
            await self._session.execute(delete(pushes).where(by_digest, pushes.c.digest.in_(chunk)))

    async def count(self) -> int:
        """Return how many wait."""
        return int((await self._session.execute(select(func.count()).select_from(pushes))).scalar_one())


def _is(push: Push) -> ColumnElement[bool]:
    return (
        (pushes.c.target == push.target)
        & (pushes.c.repository == push.repository)
        & (pushes.c.digest == push.digest)
        & (pushes.c.tag == push.tag)
    )
