"""Activations in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from policy.records import Activation, ActiveDocument
from policy.store.tables import activations, revisions

_BEFORE = activations.alias("earlier")


class ActivationRows:
    """Implements the port Activations."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.added = False

    async def current(self, cluster: str) -> Activation | None:
        """The last of a cluster."""
        last = _activations().where(activations.c.cluster == cluster).order_by(activations.c.number.desc()).limit(1)
        row = (await self._session.execute(last)).one_or_none()
        return None if row is None else _activation(row)

    async def get(self, number: int) -> Activation:
        """One by its number."""
        return _activation((await self._session.execute(_activations().where(activations.c.number == number))).one())

    async def add(self, cluster: str, revision: int, author: str, time: datetime, before: int | None) -> Activation:
        """Add one."""
        self.added = True
        new = insert(activations).values(cluster=cluster, revision=revision, author=author, time=time, before=before)
        number = await self._session.scalar(new.returning(activations.c.number))
        return await self.get(number or 0)

    async def page(self, after: str, limit: int) -> Sequence[Activation]:
        """The last of each cluster, by cluster."""
        page = (
            _activations()
            .where(activations.c.number.in_(_last_of_each()), activations.c.cluster > after)
            .order_by(activations.c.cluster)
            .limit(limit)
        )
        return [_activation(row) for row in await self._session.execute(page)]

    async def counter(self) -> int:
        """The number of the last of all."""
        return await self._session.scalar(select(func.max(activations.c.number))) or 0

    async def next_active(self, after: int) -> ActiveDocument | None:
        """The first after a number that is the last of its cluster."""
        first = (
            select(activations.c.number, activations.c.cluster, activations.c.revision, revisions.c.document)
            .join(
                revisions,
                (revisions.c.cluster == activations.c.cluster) & (revisions.c.number == activations.c.revision),
            )
            .where(activations.c.number > after, activations.c.number.in_(_last_of_each()))
            .order_by(activations.c.number)
            .limit(1)
        )
        row = (await self._session.execute(first)).one_or_none()
        return None if row is None else ActiveDocument(row.number, row.cluster, row.revision, bytes(row.document))


def _last_of_each() -> Select[tuple[int]]:
    return select(func.max(activations.c.number)).group_by(activations.c.cluster)


def _activations() -> Select[Any]:
    return select(activations, _BEFORE.c.revision.label("previous")).outerjoin(
        _BEFORE, _BEFORE.c.number == activations.c.before
    )


def _activation(row: Row[Any]) -> Activation:
    return Activation(row.number, row.cluster, row.revision, row.author, row.time, row.before, row.previous or 0)
