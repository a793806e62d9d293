"""Revisions of policies: created once, read ever after."""

import hashlib
from collections.abc import Sequence

from chassis.clock import Clock
from chassis.identity import Caller

from policy.documents.model import Policy
from policy.documents.validation import check
from policy.errors import NoActivePolicy, RevisionNotFound
from policy.records import Revision
from policy.store import Store, Work


class Revisions:
    """Creates and reads revisions, within the scope of who asks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def check(self, caller: Caller, policy: Policy) -> None:
        """Raises PolicyInvalid, PermissionDenied."""
        check(policy)
        caller.scope.demand_cluster(policy.cluster)

    async def create(self, caller: Caller, policy: Policy, document: bytes, comment: str) -> Revision:
        """Keep a policy as the next revision of its cluster. Raises PolicyInvalid, PermissionDenied."""
        self.check(caller, policy)
        digest = hashlib.sha256(document).hexdigest()
        async with self._store.begin() as work:
            number = await work.revisions.last(policy.cluster) + 1
            now = self._clock.now()
            revision = Revision(policy.cluster, number, caller.spiffe_id, now, comment, digest)
            await work.revisions.add(revision, document)
            await work.record("revision.create", named(policy.cluster, number), {"sha256": digest, "comment": comment})
            await work.keep_answer(revision)
        return revision

    async def get(self, caller: Caller, cluster: str, number: int) -> tuple[Revision, bytes]:
        """A revision with its document, number 0 the one in force. Raises RevisionNotFound, NoActivePolicy."""
        caller.scope.demand_cluster(cluster)
        async with self._store.read() as work:
            if number:
                return await demand_revision(work, cluster, number)
            active = await work.activations.current(cluster)
            if active is None:
                raise NoActivePolicy(f"No revision is in force in the cluster {cluster!r}.")
            return await demand_revision(work, cluster, active.revision)

    async def page(self, caller: Caller, cluster: str, before: int, limit: int) -> Sequence[Revision]:
        """Revisions of a cluster, the newest first, those below `before`. Raises PermissionDenied."""
        caller.scope.demand_cluster(cluster)
        async with self._store.read() as work:
            return await work.revisions.page(cluster, before, limit)


async def demand_revision(work: Work, cluster: str, number: int) -> tuple[Revision, bytes]:
    """A revision with its document. Raises RevisionNotFound."""
    found = await work.revisions.get(cluster, number)
    if found is None:
        raise RevisionNotFound(f"The cluster {cluster!r} has no revision {number}.", metadata={"cluster": cluster})
    return found


def named(cluster: str, number: int) -> str:
    """How the audit log names a revision."""
    return f"{cluster}@{number}"
