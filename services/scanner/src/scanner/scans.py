"""Asking for scans, and for what became of them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

from chassis.clock import Clock
from chassis.identity import Caller
from chassis.watch import Notifier
from registry.references import Reference

from scanner.errors import NoImageNamed, ScanNotFound, TagMoved
from scanner.images import record_scanning, record_tag
from scanner.inventory.taking import ANALYZERS
from scanner.listening import heard
from scanner.progress import Board, Phase, ScanProgress
from scanner.pulling.registry import Registry
from scanner.scan_records import Request, Scan, ScanFilter, Trigger
from scanner.store import Store, Unit
from scanner.viewing import Listed, covered

_SHORTEST_PAUSE = 0.2
"""Seconds between two answers of a watched scan."""
_LONGEST_PAUSE = 1.0
"""Seconds after which a scan that nothing is heard of is looked up again."""


async def request_scan(unit: Unit, request: Request, clock: Clock, *, force: bool = False) -> Scan:
    """Queue a scan, unless the image is being scanned, or was by the same analyzers: then that scan is the answer."""
    if request.tag:
        await record_tag(unit, request.repository, request.tag, request.digest, clock.now())
    unfinished = await unit.scans.unfinished(request.repository, request.digest)
    if unfinished:
        await unit.scans.hasten(unfinished, request.trigger, clock.now())
        return unfinished
    last = await unit.scans.last_success(request.repository, request.digest)
    if last and not force and _answers(last, request):
        return last
    scan = await unit.scans.add(secrets.token_hex(12), request, ANALYZERS, clock.now())
    await record_scanning(unit, request.repository, request.digest, scan.scan_id)
    return scan


def _answers(scan: Scan, request: Request) -> bool:
    """Whether a scan that succeeded read all that is asked for."""
    left_out = scan.summary.left_out if scan.summary else ()
    return scan.analyzers == ANALYZERS and (not left_out or scan.request.platforms == request.platforms)


class ScanDesk:
    """Takes requests of callers, and answers their questions. `queue` hears of each scan that is queued."""

    def __init__(self, store: Store, registry: Registry, clock: Clock, queue: Notifier, board: Board) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._queue = queue
        self._board = board

    async def scan_image(self, caller: Caller, image: Reference, *, force: bool) -> Scan:
        """Queue a scan of an image; a tag is resolved to its digest now.

        Raises NoImageNamed, TagMoved, HostNotConfigured, and what the registry refuses.
        """
        caller.scope.demand_repository(image.name)
        self._registry.demand_configured(image.host)
        digest = await self._digest(image)
        request = Request(image.name, digest, Trigger.MANUAL, tag=image.tag or "")
        async with self._store.begin() as unit:
            scan = await request_scan(unit, request, self._clock, force=force)
        self._queue.notify()
        return scan

    async def _digest(self, image: Reference) -> str:
        if image.tag is None:
            if image.digest is None:
                raise NoImageNamed(f"{image} names no image: add :tag, or @ and a digest.", field="image")
            return image.digest
        digest = await self._registry.resolve(image.name, image.tag)
        if image.digest not in {None, digest}:
            raise TagMoved(f"The tag {image.tag} of {image.name} points at {digest} now, not at {image.digest}.")
        return digest

    async def get(self, caller: Caller, scan_id: str) -> Scan:
        """Return a scan. Raises ScanNotFound."""
        async with self._store.read() as unit:
            scan = await unit.scans.get(scan_id)
        if scan is None or not caller.scope.covers_repository(scan.request.repository):
            raise ScanNotFound(f"There is no scan {scan_id!r}.")
        return scan

    async def page(
        self, caller: Caller, wanted: ScanFilter, repository: str, before: int | None, limit: int
    ) -> Listed[Scan]:
        """Return scans, the newest first, from below a number on; only those of `repository` unless empty."""
        async with self._store.read() as unit:
            wanted = replace(wanted, repositories=await covered(unit, caller, repository))
            scans = await unit.scans.page(wanted, before, limit + 1)
        return Listed(scans[:limit], len(scans) > limit)

    async def watch(self, caller: Caller, scan_id: str) -> AsyncIterator[tuple[ScanProgress, Scan | None]]:
        """Yield how far a scan is, whenever that changes, until it has ended; with it comes the scan as it ended."""
        await self.get(caller, scan_id)
        sent: ScanProgress | None = None
        while True:
            changed = self._board.changed.listen()
            progress = self._board.get(scan_id)
            scan = None if progress else await self.get(caller, scan_id)
            if scan and scan.state.is_over:
                yield ScanProgress(Phase.DONE, scan.summary.size if scan.summary else 0), scan
                return
            progress = progress or ScanProgress(Phase.QUEUED)
            if progress != sent:
                yield progress, None
                sent = progress
                await asyncio.sleep(_SHORTEST_PAUSE)
            else:
                await heard(changed, _LONGEST_PAUSE)
