"""The decision log: kept once each, listed, counted, and deleted when it is old."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from chassis.clock import Clock
from chassis.errors import PermissionDenied, Refusal
from chassis.identity import Caller

from policy.errors import ClusterRequired, TooManyDecisions
from policy.records import Alike, Decision, Recorded, RefusedDecision, Wanted
from policy.store import Store

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 500
_SWEEP_SECONDS: Final = 3600.0
_SWEPT_AT_ONCE: Final = 1000


class DecisionMetrics(Protocol):
    """Counts decisions."""

    def recorded(self, decision: Decision) -> None:
        """A decision is new in the log."""

    def known(self, count: int) -> None:
        """So many were sent again."""

    def refused(self, count: int) -> None:
        """So many are not kept."""

    def deleted(self, count: int) -> None:
        """So many were old."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long decisions are kept, and how many at most."""

    age: timedelta
    most: int


class DecisionLog:
    """Keeps and reads decisions, within the scope of who asks."""

    def __init__(self, store: Store, clock: Clock, metrics: DecisionMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def record(self, caller: Caller, sent: Sequence[Decision | RefusedDecision]) -> Recorded:
        """Keep a batch, without what was refused already or is beyond the caller's scope. Raises TooManyDecisions."""
        if len(sent) > MOST_AT_ONCE:
            raise TooManyDecisions(f"A message holds at most {MOST_AT_ONCE} decisions.", field="decisions")
        within = [_within_scope(caller, one) for one in sent]
        batch = [one for one in within if isinstance(one, Decision)]
        refused = tuple(one for one in within if isinstance(one, RefusedDecision))
        async with self._store.begin() as work:
            new = await work.decisions.add(batch)
        recorded = Recorded(len(new), len(batch) - len(new), refused)
        self._count(new, recorded)
        return recorded

    def _count(self, new: Sequence[Decision], recorded: Recorded) -> None:
        for decision in new:
            self._metrics.recorded(decision)
        self._metrics.known(recorded.known)
        self._metrics.refused(len(recorded.refused))
        if recorded.refused:
            first = recorded.refused[0].refusal
            fields = {"count": len(recorded.refused), "reason": first.reason, "detail": first.message}
            log.warning("decisions refused", extra=fields)

    async def page(self, caller: Caller, wanted: Wanted, before: int, limit: int) -> Sequence[tuple[int, Decision]]:
        """Decisions with their numbers, recorded last first, those below `before`. Raises PermissionDenied."""
        _demand_scope(caller, wanted)
        async with self._store.read() as work:
            return await work.decisions.page(wanted, before, limit)

    async def summary(self, caller: Caller, wanted: Wanted, limit: int) -> Sequence[Alike]:
        """Counts of decisions that are alike, the largest first. Raises PermissionDenied."""
        _demand_scope(caller, wanted)
        async with self._store.read() as work:
            return await work.decisions.summary(wanted, limit)

    async def sweep(self, retention: Retention) -> None:
        """Delete what is old, in steps that leave the database to others in between."""
        deleted = _SWEPT_AT_ONCE
        while deleted == _SWEPT_AT_ONCE:
            async with self._store.begin() as work:
                before = self._clock.now() - retention.age
                deleted = await work.decisions.delete_old(before, retention.most, _SWEPT_AT_ONCE)
            self._metrics.deleted(deleted)

    async def keep_swept(self, retention: Retention, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Delete what is old every hour, until cancelled; what fails is tried again an hour later."""
        while True:
            try:
                await self.sweep(retention)
            except Refusal as refusal:
                log.warning("old decisions not deleted", extra={"reason": refusal.reason})
            await sleep(_SWEEP_SECONDS)


def _within_scope(caller: Caller, sent: Decision | RefusedDecision) -> Decision | RefusedDecision:
    if isinstance(sent, Decision):
        try:
            caller.scope.demand_cluster(sent.cluster)
        except PermissionDenied as refusal:
            return RefusedDecision(sent.decision_id, refusal)
    return sent


def _demand_scope(caller: Caller, wanted: Wanted) -> None:
    if wanted.cluster:
        caller.scope.demand_cluster(wanted.cluster)
    elif caller.scope.clusters is not None:
        raise ClusterRequired("Your binding covers some clusters only: name the cluster.")
