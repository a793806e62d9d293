"""Reading what the signer holds, within the scope of who asks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.errors import PermissionDenied
from chassis.identity import Caller

from signer.errors import SigningNotFound
from signer.keyring import demand_key
from signer.keys.model import Key, KeyVersion
from signer.revocations import Revocation
from signer.signings import Filter, Signing
from signer.store import Store, Work

C = TypeVar("C", int, str)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T, C]):
    """A page, and where the next one begins; None after the last."""

    items: tuple[T, ...]
    after: C | None


class Records:
    """Reads keys, signings and revocations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def key(self, caller: Caller, name: str) -> Key:
        """Return a key. Raises PermissionDenied, KeyNotFound."""
        caller.scope.demand_key(name)
        async with self._store.read() as work:
            return await demand_key(work, name)

    async def keys(self, caller: Caller, after: str, size: int) -> Listed[Key, str]:
        """List the keys within the caller's scope, by name."""
        async with self._store.read() as work:

            async def fetch(cursor: str, limit: int) -> Sequence[tuple[str, Key]]:
                return [(key.name, key) for key in await work.keys.page(cursor, limit)]

            return await _listed(fetch, lambda key: _covers(caller.scope.demand_key, key.name), after, size)

    async def versions(self, caller: Caller, key: str, before: int, size: int) -> Listed[KeyVersion, int]:
        """List the versions of a key, the newest first. Raises PermissionDenied, KeyNotFound."""
        caller.scope.demand_key(key)
        async with self._store.read() as work:
            await demand_key(work, key)

            async def fetch(cursor: int, limit: int) -> Sequence[tuple[int, KeyVersion]]:
                return [(version.version, version) for version in await work.keys.versions(key, cursor, limit)]

            return await _listed(fetch, lambda _: True, before, size)

    async def signing(self, caller: Caller, signing_id: str) -> Signing:
        """Return the record of a signing. Raises SigningNotFound, PermissionDenied."""
        async with self._store.read() as work:
            signing = await demand_signing(work, signing_id)
        caller.scope.demand_repository(signing.repository)
        return signing

    async def signings(self, caller: Caller, wanted: Filter, before: int, size: int) -> Listed[Signing, int]:
        """List signings within the caller's scope, the newest first, those below a number."""
        async with self._store.read() as work:

            async def fetch(cursor: int, limit: int) -> Sequence[tuple[int, Signing]]:
                return await work.signings.page(wanted, cursor, limit)

            return await _listed(
                fetch, lambda one: _covers(caller.scope.demand_repository, one.repository), before, size
            )

    async def revocations(self, before: int, size: int) -> Listed[Revocation, int]:
        """List revocations, the newest first, those below a number."""
        async with self._store.read() as work:
            return await _listed(work.revocations.page, lambda _: True, before, size)


def _covers(demand: Callable[[str], None], name: str) -> bool:
    try:
        demand(name)
    except PermissionDenied:
        return False
    return True


async def demand_signing(work: Work, signing_id: str) -> Signing:
    """Return the record of a signing. Raises SigningNotFound."""
    signing = await work.signings.get(signing_id)
    if signing is None:
        raise SigningNotFound(f"There is no signing {signing_id}.", metadata={"signing_id": signing_id})
    return signing


async def _listed(
    fetch: Callable[[C, int], Awaitable[Sequence[tuple[C, T]]]], allowed: Callable[[T], bool], start: C, size: int
) -> Listed[T, C]:
    """Read on until the page is full: what the caller may not see leaves no gap, and no trace."""
    items: list[T] = []
    cursor = last = start
    while True:
        rows = await fetch(cursor, size + 1)
        for position, item in rows:
            if not allowed(item):
                continue
            if len(items) == size:
                return Listed(tuple(items), last)
            items.append(item)
            last = position
        if len(rows) <= size:
            return Listed(tuple(items), None)
        cursor, _ = rows[-1]
