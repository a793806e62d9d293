"""Decisions on their way to the decision log: kept while the policy service is away, in a bounded buffer."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Final, Protocol

from chassis.errors import Kind, Refusal

from verifier.verification import Decision

log = logging.getLogger(__name__)

BATCH: Final = 200
"""As many decisions as fit into a message of 4 MiB even where each of their texts is as long as it may be."""
_RETRY_SECONDS: Final = 1.0


class Log(Protocol):
    """The decision log."""

    async def write(self, decisions: Sequence[Decision]) -> int:
        """Returns once they are recorded, with how many the log refused for good. Raises Refusal.

        Recording one twice is no harm.
        """


class BufferMetrics(Protocol):
    """Counts what became of decisions."""

    def recorded(self, count: int) -> None:
        """So many were recorded."""

    def dropped(self, count: int) -> None:
        """So many were dropped: the buffer was full, or the log refused them for good."""


class DecisionBuffer:
    """Takes decisions without waiting; a full buffer drops the newest, and counts it."""

    def __init__(
        self,
        log: Log,
        metrics: BufferMetrics,
        capacity: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`capacity` is in decisions."""
        self._log = log
        self._metrics = metrics
        self._capacity = capacity
        self._sleep = sleep
        self._waiting: deque[Decision] = deque()
        self._filled = asyncio.Event()
        self._writing = asyncio.Lock()

    def record(self, decision: Decision) -> None:
        """Takes one decision."""
        if len(self._waiting) >= self._capacity:
            self._metrics.dropped(1)
            return
        self._waiting.append(decision)
        self._filled.set()

    async def run(self) -> None:
        """Writes what comes in, in batches, until cancelled; what the log can't take now is tried again."""
        while True:
            await self._filled.wait()
            try:
                await self.flush()
            except Refusal as refusal:
                log.warning("decisions not recorded", extra={"reason": refusal.reason, "waiting": len(self._waiting)})
                await self._sleep(_RETRY_SECONDS)

    async def flush(self) -> None:
        """Writes everything that waits. Raises Refusal; what was not written goes on waiting."""
        async with self._writing:
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                await self._write(batch)
                for _ in batch:
                    self._waiting.popleft()
            self._filled.clear()

    async def _write(self, batch: Sequence[Decision]) -> None:
        try:
            refused = await self._log.write(batch)
        except Refusal as refusal:
            if refusal.kind is not Kind.INVALID_ARGUMENT:
                raise
            # Sent again it would be refused again, and hold up all that come after it.
            log.exception("decisions refused as malformed", extra={"reason": refusal.reason, "count": len(batch)})
            refused = len(batch)
        self._metrics.dropped(refused)
        self._metrics.recorded(len(batch) - refused)

    def __len__(self) -> int:
        return len(self._waiting)
