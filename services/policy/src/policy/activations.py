"""Which revision is in force: put there by name, or by rolling back."""

from collections.abc import Sequence
from typing import Protocol

from chassis.clock import Clock
from chassis.identity import Caller

from policy.errors import ActiveRevisionChanged, NoActivePolicy, NothingToRollBackTo
from policy.records import Activation
from policy.revisions import demand_revision, named
from policy.store import Store, Work


class ActivationMetrics(Protocol):
    """Counts activations."""

    def activated(self, *, rolled_back: bool) -> None:
        """A revision came into force."""


class Activations:
    """Puts revisions in force, within the scope of who asks. The caller says which one is in force now, so that two
    persons cannot undo each other's work unknowingly.
    """

    def __init__(self, store: Store, clock: Clock, metrics: ActivationMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def activate(self, caller: Caller, cluster: str, revision: int, expected: int) -> Activation:
        """Put a revision in force; `expected` 0: none is. Raises RevisionNotFound, ActiveRevisionChanged."""
        caller.scope.demand_cluster(cluster)
        async with self._store.begin() as work:
            await demand_revision(work, cluster, revision)
            current = await _expected(work, cluster, expected)
            if current is not None and current.revision == revision:
                await work.keep_answer(current)
                return current
            before = current.number if current else None
            activation = await work.activations.add(cluster, revision, caller.spiffe_id, self._clock.now(), before)
            await _record(work, "revision.activate", activation, expected)
            await work.keep_answer(activation)
        self._metrics.activated(rolled_back=False)
        return activation

    async def roll_back(self, caller: Caller, cluster: str, expected: int) -> Activation:
        """Put the revision in force that was so before the present one, as if that had never been.

        Raises NoActivePolicy, ActiveRevisionChanged, NothingToRollBackTo.
        """
        caller.scope.demand_cluster(cluster)
        async with self._store.begin() as work:
            current = await _expected(work, cluster, expected)
            if current is None:
                raise NoActivePolicy(f"No revision is in force in the cluster {cluster!r}.")
            if current.before is None:
                raise NothingToRollBackTo(f"Revision {current.revision} of {cluster!r} is the first that was in force.")
            back = await work.activations.get(current.before)
            activation = await work.activations.add(
                cluster, back.revision, caller.spiffe_id, self._clock.now(), back.before
            )
            await _record(work, "revision.roll_back", activation, expected)
            await work.keep_answer(activation)
        self._metrics.activated(rolled_back=True)
        return activation

    async def page(self, caller: Caller, after: str, limit: int) -> tuple[Sequence[Activation], str]:
        """What is in force in the clusters after `after`, and the last cluster looked at; empty after the last page."""
        async with self._store.read() as work:
            found = await work.activations.page(after, limit + 1)
        last = found[limit - 1].cluster if len(found) > limit else ""
        return [one for one in found[:limit] if caller.scope.covers_cluster(one.cluster)], last


async def _expected(work: Work, cluster: str, expected: int) -> Activation | None:
    current = await work.activations.current(cluster)
    active = current.revision if current else 0
    if active != expected:
        raise ActiveRevisionChanged(
            f"In the cluster {cluster!r}, {_described(active)} is in force, not {_described(expected)}."
            " Look at it, then try again.",
            metadata={"cluster": cluster, "active_revision": str(active)},
        )
    return current


def _described(revision: int) -> str:
    return f"revision {revision}" if revision else "no revision"


async def _record(work: Work, action: str, activation: Activation, replaced: int) -> None:
    await work.record(action, named(activation.cluster, activation.revision), {"replaced": str(replaced)})
