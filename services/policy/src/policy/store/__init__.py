"""The port to the service's database: what the use cases read and write, within one transaction at a time."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from policy.records import Activation, ActiveDocument, Alike, Decision, Revision, Wanted


class Revisions(Protocol):
    """Revisions and their documents; nothing here changes one."""

    async def last(self, cluster: str) -> int:
        """The number of the cluster's newest revision; 0 where there is none."""
        ...

    async def add(self, revision: Revision, document: bytes) -> None:
        """Add a revision with its document."""
        ...

    async def get(self, cluster: str, number: int) -> tuple[Revision, bytes] | None:
        """A revision with its document."""
        ...

    async def page(self, cluster: str, before: int, limit: int) -> Sequence[Revision]:
        """Revisions of a cluster, the newest first, those below `before`."""
        ...


class Activations(Protocol):
    """The order in which revisions came into force."""

    async def current(self, cluster: str) -> Activation | None:
        """The last of a cluster."""
        ...

    async def get(self, number: int) -> Activation:
        """One by its number, which must exist."""
        ...

    async def add(self, cluster: str, revision: int, author: str, time: datetime, before: int | None) -> Activation:
        """Add one, which is the last of its cluster from then on."""
        ...

    async def page(self, after: str, limit: int) -> Sequence[Activation]:
        """The last of each cluster, by cluster, those of clusters after `after`."""
        ...

    async def counter(self) -> int:
        """The number of the last activation of all; 0 before the first."""
        ...

    async def next_active(self, after: int) -> ActiveDocument | None:
        """The first activation after a number that is still the last of its cluster, with the document."""
        ...


class Decisions(Protocol):
    """The decision log."""

    async def add(self, decisions: Sequence[Decision]) -> Sequence[Decision]:
        """Keep decisions, and return those whose ids were not kept before."""
        ...

    async def page(self, wanted: Wanted, before: int, limit: int) -> Sequence[tuple[int, Decision]]:
        """Decisions with their numbers, those recorded last first, those below the number `before`."""
        ...

    async def summary(self, wanted: Wanted, limit: int) -> Sequence[Alike]:
        """Counts of decisions that are alike, the largest first."""
        ...

    async def delete_old(self, before: datetime, most: int, limit: int) -> int:
        """Delete decisions made before a time, or recorded before the last `most`; at most `limit`. Gives how many."""
        ...


class Work(Protocol):
    """One transaction: all of it is stored, or nothing."""

    @property
    def revisions(self) -> Revisions:
        """Revisions and their documents."""
        ...

    @property
    def activations(self) -> Activations:
        """The order in which revisions came into force."""
        ...

    @property
    def decisions(self) -> Decisions:
        """The decision log."""
        ...

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does."""
        ...

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """One that is stored when the block ends without an exception."""
        ...

    def read(self) -> AbstractAsyncContextManager[Work]:
        """One that only reads."""
        ...
