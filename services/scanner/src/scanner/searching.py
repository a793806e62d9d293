"""Searching the registries of targets for the images that are there already, a repository at a time."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chassis.clock import Clock
from chassis.errors import Refusal
from chassis.watch import Notifier
from registry.errors import ManifestNotFound
from registry.manifests import ImageManifest, Index, is_artifact

from scanner.events import is_companion_tag
from scanner.failures import ScanFailure, failure_of
from scanner.listening import heard
from scanner.pulling.config import LARGEST, parse_config
from scanner.pulling.registry import Registry
from scanner.risk.freshness import MaxAge
from scanner.scan_records import Request, Trigger
from scanner.side_by_side import all_or_none
from scanner.store import Store
from scanner.target_records import Search, Target
from scanner.targets import request_for_target

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0
_STORE_PAUSE = 5.0
_REGISTRY_PAUSE = timedelta(seconds=30)
"""After trouble with a registry."""
_SIDE_BY_SIDE = 4
_AT_ONCE = 50
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Found:
    """An image that a tag points at, and when it says that it was created."""

    digest: str
    tag: str
    created: datetime


class Searcher:
    """Searches, until cancelled. `searches` hears of each search that begins, `queue` of each scan that is queued."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        searches: Notifier,
        queue: Notifier,
        max_age: MaxAge,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._searches = searches
        self._queue = queue
        self._max_age = max_age
        self._known: tuple[tuple[str, int], Sequence[str]] = (("", 0), ())

    async def run(self) -> None:
        """Search wherever there is something to search."""
        while True:
            begun = self._searches.listen()
            try:
                pause = await self.step()
            except Refusal as refusal:
                log.warning("targets not searched", extra={"reason": refusal.reason})
                pause = _STORE_PAUSE
            if pause:
                await heard(begun, pause)

    async def step(self) -> float:
        """Look into the next repository of a target; return how many seconds to wait before the next step.

        Raises what the store refuses.
        """
        async with self._store.read() as unit:
            following = await unit.targets.next_search()
        if following is None:
            return _LONGEST_PAUSE
        target, search = following
        wait = search.not_before - self._clock.now()
        if timedelta() < wait <= _REGISTRY_PAUSE:  # further ahead, the clock was put back
            return wait.total_seconds()
        try:
            await self._advance(target, search)
        except Refusal as refusal:
            log.warning("registry not searched", extra={"target": target.name, "reason": refusal.reason})
            await self._note_trouble(target, search, refusal.message)
        except Exception:  # one registry must not end the scanner
            log.exception("search broken", extra={"target": target.name})
            await self._note_trouble(target, search, "The scanner failed; its log says more under the target's name.")
        return 0.0

    async def _advance(self, target: Target, search: Search) -> None:
        ahead = [path for path in await self._repositories(target, search) if path > search.position]
        if not ahead:
            await self._put(target, replace(search, running=False))
            return
        repository = f"{target.registry}/{ahead[0]}"
        trouble = search.trouble
        found: Sequence[_Found] = ()
        try:
            found, unread = await self._images(repository, target.newest)
            trouble = unread or trouble
        except ManifestNotFound:
            log.info("repository gone", extra={"target": target.name, "repository": repository})
        except Refusal as refusal:
            if failure_of(refusal).transient:
                raise
            trouble = refusal.message
        await self._request(target, repository, found)
        await self._put(target, replace(search, position=ahead[0], trouble=trouble))

    async def _repositories(self, target: Target, search: Search) -> Sequence[str]:
        """The target's repositories by name, as they were when this process first looked for this search."""
        which = (target.name, search.number)
        if self._known[0] != which:
            named = target.exact_repositories()
            listed = await self._registry.repositories(target.registry) if named is None else named
            covered = {path for path in listed if target.covers(f"{target.registry}/{path}")}
            self._known = (which, sorted(covered))
        return self._known[1]

    async def _images(self, repository: str, newest: int) -> tuple[Sequence[_Found], str]:
        """The images that are tagged, and a sentence on a tag that can't be read, which holds up no other."""
        tags = (tag for tag in await self._registry.tags(repository) if not is_companion_tag(tag))
        found, unread = list[_Found](), list[str]()

        async def look_up_each() -> None:
            for tag in tags:  # each of those at work takes the next
                try:
                    one = await self._look_up(repository, tag, newest)
                except ManifestNotFound:
                    continue  # deleted since it was listed
                except Refusal as refusal:
                    if failure_of(refusal).transient:
                        raise
                    unread[:] = [f"The tag {tag} of {repository} can't be read: {refusal.message}"]
                    continue
                found.extend([one] if one else [])

        await all_or_none([look_up_each() for _ in range(_SIDE_BY_SIDE)])
        return (found if newest == 0 else _newest(found, newest)), "".join(unread)

    async def _look_up(self, repository: str, tag: str, newest: int) -> _Found | None:
        digest, manifest = await self._registry.tagged(repository, tag)
        if isinstance(manifest, ImageManifest) and is_artifact(manifest):
            return None
        return _Found(digest, tag, await self._created(repository, manifest) if newest else _LONG_AGO)

    async def _created(self, repository: str, manifest: ImageManifest | Index | None) -> datetime:
        try:
            if isinstance(manifest, Index) and manifest.manifests:
                manifest = await self._registry.manifest(repository, manifest.manifests[0].digest)
            if not isinstance(manifest, ImageManifest) or is_artifact(manifest) or manifest.config.size > LARGEST:
                return _LONG_AGO
            body = await self._registry.blob(repository, manifest.config.digest, manifest.config.size)
            return parse_config(body).created or _LONG_AGO
        except ScanFailure:
            return _LONG_AGO
        except Refusal as refusal:
            if failure_of(refusal).transient:
                raise
            return _LONG_AGO  # what can't be read says nothing of its age; its scan will say why

    async def _request(self, target: Target, repository: str, found: Sequence[_Found]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            async with self._store.begin() as unit:
                if await unit.targets.get(target.name) is None:
                    return
                for one in found[start : start + _AT_ONCE]:
                    request = Request(repository, one.digest, Trigger.EXISTING, one.tag)
                    await request_for_target(unit, target, request, self._clock, self._max_age)
            self._queue.notify()

    async def _note_trouble(self, target: Target, search: Search, trouble: str) -> None:
        later = self._clock.now() + _REGISTRY_PAUSE
        await self._put(target, replace(search, trouble=trouble, not_before=later))

    async def _put(self, target: Target, search: Search) -> None:
        async with self._store.begin() as unit:
            await unit.targets.put_search(target.name, search)


def _newest(found: Sequence[_Found], newest: int) -> Sequence[_Found]:
    """The images that say they were created last, with every tag of them; those that say nothing come last."""
    created = {one.digest: one.created for one in found}
    chosen = set(sorted(created, key=lambda digest: created[digest], reverse=True)[:newest])
    return [one for one in found if one.digest in chosen]
