"""The source of WatchImageRisk: everything as it stands, then what changes, read from the store each time."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from chassis.watch import Position

from scanner.risk.model import FeedSet, ImageRisk
from scanner.store import Store

RiskRecord = FeedSet | ImageRisk
_RECORDS: Final = 200
"""Records in one answer: each is far below 20 KiB."""


class RiskSource:
    """Implements the chassis' port for what is watched."""

    def __init__(self, store: Store, epoch: int) -> None:
        self._store = store
        self._epoch = epoch

    async def position(self) -> Position:
        """Return the position of the last change."""
        async with self._store.read() as unit:
            return Position(self._epoch, await unit.risks.counter())

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[RiskRecord]]]:
        """Return a position, and every record as it was then or later: what changed since comes again as a change."""
        return await self.position(), self._everything()

    async def changes(self, after: int) -> Sequence[tuple[int, RiskRecord]]:
        """Return the next changes after a counter; a record that changed repeatedly stands at its last change."""
        async with self._store.read() as unit:
            return [(record.revision, record) for record in await unit.risks.changed(after, _RECORDS)]

    async def _everything(self) -> AsyncIterator[Sequence[RiskRecord]]:
        async with self._store.read() as unit:
            feed_sets = list((await unit.risks.feed_sets()).values())
        for start in range(0, len(feed_sets), _RECORDS):
            yield feed_sets[start : start + _RECORDS]
        last = 0
        while True:
            async with self._store.read() as unit:
                risks, last = await unit.risks.some(last, _RECORDS)
            if not risks:
                return
            yield risks
