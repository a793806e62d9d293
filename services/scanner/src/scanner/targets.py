"""Targets: which repositories are kept scanned. Every change is an entry in the audit log."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Set
from dataclasses import replace

from chassis.clock import Clock
from chassis.identity import Caller
from chassis.watch import Notifier

from scanner.errors import TargetExists, TargetNotFound, TargetTooWide
from scanner.pulling.registry import Registry
from scanner.risk.freshness import MaxAge
from scanner.scan_records import Request
from scanner.scans import request_scan
from scanner.stillness import keep_fresh, stand_still
from scanner.store import Store, Unit
from scanner.target_records import Search, Target, TargetCounts
from scanner.viewing import Listed


def hash_of(token: str) -> bytes:
    """What is kept of a token. Its 256 random bits need no stretching."""
    return hashlib.sha256(token.encode()).digest()


async def is_token_of(unit: Unit, name: str, token: str) -> bool:
    """Whether a token is that of a target; takes the same time whether or not there is such a target."""
    kept = await unit.targets.token_hash(name)
    return hmac.compare_digest(kept or bytes(32), hash_of(token)) and kept is not None


async def request_for_target(unit: Unit, target: Target, request: Request, clock: Clock, max_age: MaxAge) -> None:
    """Ask for the scan of an image that belongs to a target, which keeps it fresh from now on."""
    scan = await request_scan(unit, replace(request, target=target.name, platforms=target.platforms), clock)
    await unit.targets.put_image(target.name, request.repository, request.digest, scan)
    await keep_fresh(unit, [(request.repository, request.digest)], max_age, clock.now())


class TargetDesk:
    """Takes orders of operators. `searches` hears of each search that begins."""

    def __init__(self, store: Store, registry: Registry, clock: Clock, searches: Notifier, max_age: MaxAge) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._searches = searches
        self._max_age = max_age

    async def create(self, caller: Caller, draft: Target) -> tuple[Target, str]:
        """Create a target and begin to search its registry; return it with its token, which is not kept.

        Raises TargetExists, TargetTooWide, HostNotConfigured.
        """
        target = replace(draft, enabled=True, created=self._clock.now())
        self._registry.demand_configured(target.registry)
        _demand(caller, target)
        token = secrets.token_urlsafe(32)
        async with self._store.begin() as unit:
            if await unit.targets.get(target.name):
                raise TargetExists(f"There is a target {target.name} already.", field="target.name")
            await unit.targets.add(target, hash_of(token))
            await unit.record("target.create", target.name, _details(target))
            await unit.keep_answer(target)
        self._searches.notify()
        return target, token

    async def rotate_token(self, caller: Caller, name: str) -> str:
        """Replace a target's token; return the new one, which is not kept. Raises TargetNotFound, TargetTooWide."""
        token = secrets.token_urlsafe(32)
        async with self._store.begin() as unit:
            _demand(caller, await _held(unit, name))
            await unit.targets.put_token_hash(name, hash_of(token))
            await unit.record("target_token.rotate", name, {})
            await unit.keep_answer(None)
        return token

    async def get(self, name: str) -> tuple[Target, Search, TargetCounts]:
        """Return a target and how far it is. Raises TargetNotFound."""
        async with self._store.read() as unit:
            return await _held(unit, name), await unit.targets.search(name), await unit.targets.counts(name)

    async def page(self, after: str, limit: int) -> Listed[Target]:
        """Return targets by name, from after one on."""
        async with self._store.read() as unit:
            targets = await unit.targets.page(after, limit + 1)
        return Listed(targets[:limit], len(targets) > limit)

    async def update(self, caller: Caller, draft: Target, fields: frozenset[str]) -> Target:
        """Change these fields of a target; whatever may bring images in begins a search.

        Raises TargetNotFound, TargetTooWide.
        """
        async with self._store.begin() as unit:
            held = await _held(unit, draft.name)
            _demand(caller, held)
            target = replace(held, **{field: getattr(draft, field) for field in sorted(fields)})
            _demand(caller, target)
            await unit.targets.put(target)
            if target.enabled and target != held:
                await unit.targets.begin_search(target.name, self._clock.now())
            if target.enabled != held.enabled:
                await self._move(unit, await unit.targets.images(target.name))
            await unit.record("target.update", target.name, _details(target))
        self._searches.notify()
        return target

    async def delete(self, caller: Caller, name: str) -> None:
        """Delete a target and its token. Raises TargetNotFound, TargetTooWide."""
        async with self._store.begin() as unit:
            _demand(caller, await _held(unit, name))
            images = await unit.targets.images(name)
            await unit.targets.delete(name)
            await self._move(unit, images)
            await unit.record("target.delete", name, {})

    async def _move(self, unit: Unit, images: Set[tuple[str, str]]) -> None:
        """Let those of these images stand still that belong to disabled targets alone, and keep the others fresh."""
        still = await unit.targets.resting() & images
        await stand_still(unit, still, self._max_age, self._clock.now())
        await keep_fresh(unit, images - still, self._max_age, self._clock.now())


async def _held(unit: Unit, name: str) -> Target:
    target = await unit.targets.get(name)
    if target is None:
        raise TargetNotFound(f"There is no target {name!r}.")
    return target


def _demand(caller: Caller, target: Target) -> None:
    """A binding that is narrowed to repositories reaches targets alone that name theirs one by one."""
    if caller.scope.repositories is None:
        return
    named = target.exact_repositories()
    if named is None:
        raise TargetTooWide("Your binding is narrowed to repositories: name each in `include`, without a wildcard.")
    for path in named:
        caller.scope.demand_repository(f"{target.registry}/{path}")


def _details(target: Target) -> Mapping[str, str]:
    return {
        "registry": target.registry,
        "include": " ".join(target.include),
        "exclude": " ".join(target.exclude),
        "platforms": " ".join(target.platforms),
        "newest": str(target.newest),
        "enabled": "true" if target.enabled else "false",
    }
