"""Keeping the stream true as time passes: a feed that grows too old is streamed when it does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import Refusal

from scanner.reassessment import refresh_feed_sets
from scanner.risk.freshness import MaxAge, next_expiry
from scanner.store import Store

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(seconds=30)
"""How long a jump of the clock may stay unnoticed."""
_SHORTEST_PAUSE = timedelta(milliseconds=100)


class FreshnessKeeper:
    """Streams what only the clock changes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        max_age: MaxAge,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._max_age = max_age
        self._sleep = sleep

    async def refresh(self) -> timedelta:
        """Store how fresh every feed set is now; returns how long to wait before the next time."""
        now = self._clock.now()
        async with self._store.begin() as unit:
            await refresh_feed_sets(unit, self._max_age, now)
            feeds = await unit.advisories.feeds()
        return _pause(next_expiry(feeds.values(), self._max_age, now), now)

    async def run(self) -> None:
        """Refresh whenever it may matter, until cancelled."""
        while True:
            try:
                pause = await self.refresh()
            except Refusal as refusal:
                log.warning("freshness not refreshed", extra={"reason": refusal.reason})
                pause = LONGEST_PAUSE
            await self._sleep(pause.total_seconds())


def _pause(expiry: datetime | None, now: datetime) -> timedelta:
    return LONGEST_PAUSE if expiry is None else min(max(expiry - now, _SHORTEST_PAUSE), LONGEST_PAUSE)
