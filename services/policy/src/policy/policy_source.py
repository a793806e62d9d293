"""The source of WatchPolicies: the policy in force in each cluster, read from the store each time."""

from collections.abc import AsyncIterator, Callable, Sequence

from chassis.watch import Position

from policy.records import ActiveDocument
from policy.store import Store


class PolicySource:
    """Implements the chassis' port for what is watched; a policy may be large, so that each travels by itself.

    `covers` tells of which clusters the reader may know.
    """

    def __init__(self, store: Store, epoch: int, covers: Callable[[str], bool]) -> None:
        self._store = store
        self._epoch = epoch
        self._covers = covers

    async def position(self) -> Position:
        """The position of the last activation."""
        async with self._store.read() as work:
            return Position(self._epoch, await work.activations.counter())

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[ActiveDocument]]]:
        """A position, and every active policy as it was then or later."""
        return await self.position(), self._everything()

    async def changes(self, after: int) -> Sequence[tuple[int, ActiveDocument]] | None:
        """The next policy that came into force after a counter and still is. Activations are kept for ever."""
        found = await self._next(after)
        return [] if found is None else [(found.activation, found)]

    async def _everything(self) -> AsyncIterator[Sequence[ActiveDocument]]:
        after = 0
        while (found := await self._next(after)) is not None:
            after = found.activation
            yield [found]

    async def _next(self, after: int) -> ActiveDocument | None:
        while True:
            async with self._store.read() as work:
                found = await work.activations.next_active(after)
            if found is None or self._covers(found.cluster):
                return found
            after = found.activation
