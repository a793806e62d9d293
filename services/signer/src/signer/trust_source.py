"""The source of WatchTrust: everything as it stands, then what changes, read from the store each time."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from chassis.watch import Position

from signer.revocations import Revocation
from signer.store import Store
from signer.trust import EarlierSignings, TrustRecord

_VERSIONS: Final = 200
_REVOCATIONS: Final = 50
_CHANGES: Final = 200
_NEWEST: Final = 2**62  # above the number of any revocation


class TrustSource:
    """Implements the chassis' port for what is watched."""

    def __init__(self, store: Store, epoch: int) -> None:
        self._store = store
        self._epoch = epoch

    async def position(self) -> Position:
        """Return the position of the last change."""
        async with self._store.read() as work:
            return Position(self._epoch, await work.trust.counter())

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[TrustRecord]]]:
        """Return a position, and every record as it was then or later: what changed since comes again as a change."""
        return await self.position(), self._everything()

    async def changes(self, after: int) -> Sequence[tuple[int, TrustRecord]] | None:
        """Return the next changes after a counter; None where they are not kept any more."""
        async with self._store.read() as work:
            return await work.trust.changes(after, _CHANGES)

    async def _everything(self) -> AsyncIterator[Sequence[TrustRecord]]:
        async with self._store.read() as work:
            versions = await work.keys.every_version()
        for start in range(0, len(versions), _VERSIONS):
            yield versions[start : start + _VERSIONS]
        before = _NEWEST
        while page := await self._revocations(before):
            yield [revocation for _, revocation in page]
            for _, revocation in page:
                for earlier in await self._earlier(revocation):
                    yield [earlier]
            before, _ = page[-1]

    async def _revocations(self, before: int) -> Sequence[tuple[int, Revocation]]:
        async with self._store.read() as work:
            return await work.revocations.page(before, _REVOCATIONS)

    async def _earlier(self, revocation: Revocation) -> Sequence[EarlierSignings]:
        async with self._store.read() as work:
            return await work.trust.earlier(revocation)
