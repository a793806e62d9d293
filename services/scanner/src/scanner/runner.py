"""Doing the scans that are queued. The rows are the truth: what a killed process left, the next one takes up."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import Refusal
from chassis.watch import Notifier

from scanner.archives.naming import is_of_archive
from scanner.archives.shelf import Shelf
from scanner.ecosystems import feed_of
from scanner.failures import Internal, LimitExceeded, ScanFailure, failure_of
from scanner.images import ScanOutcome, record_failure, record_scan
from scanner.inventory.model import PlatformInventory
from scanner.listening import heard
from scanner.metrics import ScanMetrics
from scanner.progress import Board, Tracker
from scanner.pulling.attached import AttachedDocuments
from scanner.pulling.platforms import Expansion, expand
from scanner.pulling.reading import ImageReader
from scanner.risk.freshness import MaxAge
from scanner.scan_records import LONGEST_PAUSE, Failure, Scan, ScannedPlatform, ScanState, Summary
from scanner.store import Store

log = logging.getLogger(__name__)

_LONGEST_WAIT = 30.0
"""Seconds after which the queue is looked at, whatever is heard."""
_STORE_PAUSE = 5.0
"""Seconds after trouble with the store."""
_DEFECT = "The scanner failed; its log says more under the scan's id."
_PUT_BACK = timedelta(seconds=60)
"""How long a scan waits whose results could not be stored; it is not to blame, and pulls everything again."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How scans are done: so many at a time, each attempted so often, and for so many seconds at most.

    After transient trouble the next attempt comes after `first_pause` seconds, then twice that and so on, LONGEST_PAUSE
    at most.
    """

    parallel: int = 2
    attempts: int = 6
    seconds: float = 3600.0
    first_pause: float = 5.0

    def pause_after(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts."""
        return min(timedelta(seconds=self.first_pause * 2 ** (attempts - 1)), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading an image gave, and how long it took in seconds."""

    image: Expansion
    platforms: tuple[PlatformInventory, ...]
    seconds: float


class Runner:
    """Takes scans from the queue and does them, until it is cancelled. `queue` hears of each scan that is queued,
    `shelf` holds the archives of those whose image came in one.
    """

    def __init__(
        self,
        store: Store,
        reader: ImageReader,
        attached: AttachedDocuments,
        shelf: Shelf,
        clock: Clock,
        queue: Notifier,
        board: Board,
        metrics: ScanMetrics,
        max_age: MaxAge,
        bounds: Bounds,
    ) -> None:
        self._store = store
        self._reader = reader
        self._attached = attached
        self._shelf = shelf
        self._clock = clock
        self._queue = queue
        self._board = board
        self._metrics = metrics
        self._max_age = max_age
        self._bounds = bounds
        self._active: set[str] = set()

    async def run(self) -> None:
        """Do scans, several at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._bounds.parallel):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            queued = self._queue.listen()
            try:
                if not await self.run_next():
                    await heard(queued, await self._pause())
            except Refusal as refusal:
                log.warning("scans not taken from the queue", extra={"reason": refusal.reason})
                await asyncio.sleep(_STORE_PAUSE)

    async def run_next(self) -> bool:
        """Do the next scan that may begin, if there is one. Raises what the store refuses."""
        async with self._store.begin() as unit:
            scan = await unit.scans.claim(self._active, self._clock.now())
            self._metrics.queued(await unit.scans.queued())
            if scan is None:
                return False
            self._active.add(scan.scan_id)
        tracker = self._board.open(scan.scan_id)
        try:
            await self._attempt(scan, tracker)
        finally:
            self._active.discard(scan.scan_id)
            self._board.close(scan.scan_id)
        return True

    async def _pause(self) -> float:
        async with self._store.read() as unit:
            due = await unit.scans.next_time(self._active)
        if due is None:
            return _LONGEST_WAIT
        return min(max((due - self._clock.now()).total_seconds(), 0.05), _LONGEST_WAIT)

    async def _attempt(self, scan: Scan, tracker: Tracker) -> None:
        try:
            read = await self._read(scan, tracker)
            tracker.match()
            await self._keep(scan, read, tracker.size)
        except ScanFailure as failure:
            await self._conclude(scan, failure)

    async def _read(self, scan: Scan, tracker: Tracker) -> _Read:
        if scan.attempts > self._bounds.attempts:
            raise Internal(f"It was begun {self._bounds.attempts} times and never came to an end.")
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._bounds.seconds):
                image, platforms = await self._inventories(scan, tracker)
        except TimeoutError as late:
            raise LimitExceeded(f"It took more than {self._bounds.seconds} seconds, the bound `time`.") from late
        except Refusal as refusal:
            raise failure_of(refusal) from refusal
        except ScanFailure:
            raise
        except Exception as defect:  # one image must not end the scanning of all others
            log.exception("scan broken", extra={"scan_id": scan.scan_id})
            raise Internal(_DEFECT) from defect
        return _Read(image, platforms, self._clock.monotonic() - begun)

    async def _inventories(self, scan: Scan, tracker: Tracker) -> tuple[Expansion, tuple[PlatformInventory, ...]]:
        request = scan.request
        reader = self._reader
        if is_of_archive(request.repository):
            reader = replace(reader, source=self._shelf.source(scan.scan_id))
        image = await expand(reader.source, request.repository, request.digest, request.platforms)
        platforms = await reader.read(request.repository, image, tracker)
        if is_of_archive(request.repository):
            return image, platforms
        return image, await self._attached.beside(request.repository, platforms)

    async def _conclude(self, scan: Scan, failure: ScanFailure) -> None:
        """Note a failed attempt: another may follow where that can help."""
        self._metrics.failed(failure.reason)
        kept = Failure(failure.reason, failure.message)
        now = self._clock.now()
        again = failure.transient and scan.attempts < self._bounds.attempts
        async with self._store.begin() as unit:
            if again:
                await unit.scans.postpone(scan.scan_id, kept, now + self._bounds.pause_after(scan.attempts))
            else:
                await unit.scans.fail(scan.scan_id, kept, now)
                request = scan.request
                reason = f"The scan failed: {failure.message}"
                await record_failure(unit, request.repository, request.digest, scan.scan_id, reason)
        if again:
            log.info("scan postponed", extra={"scan_id": scan.scan_id, "reason": failure.reason})
        else:
            self._shelf.drop(scan.scan_id)
            log.info("scan failed", extra={"scan_id": scan.scan_id, "reason": failure.reason})
            self._metrics.ended(scan.request.trigger, ScanState.FAILED)

    async def _keep(self, scan: Scan, read: _Read, size: int) -> None:
        """Store a scan's results. Raises Internal, and, having put the scan back, what the store refuses."""
        try:
            await self._succeed(scan, read, size)
        except Refusal as refusal:
            async with self._store.begin() as unit:
                trouble = Failure(refusal.reason, refusal.message)
                await unit.scans.put_back(scan.scan_id, trouble, self._clock.now() + _PUT_BACK)
            raise
        except Exception as defect:  # likewise
            log.exception("scan broken", extra={"scan_id": scan.scan_id})
            raise Internal(_DEFECT) from defect

    async def _succeed(self, scan: Scan, read: _Read, size: int) -> None:
        """Store what was found and that the scan has ended, both or neither."""
        begun = self._clock.monotonic()
        now = self._clock.now()
        async with self._store.begin() as unit:
            risk = await record_scan(unit, _outcome(scan, read, now), self._max_age)
            matching = self._clock.monotonic() - begun
            summary = Summary(
                platforms=tuple(map(_scanned, read.platforms)),
                left_out=read.image.left_out,
                size=size,
                reading=timedelta(seconds=read.seconds),
                matching=timedelta(seconds=matching),
                advisory_revision=await unit.advisories.revision(),
                risk_state=risk.state,
                counts=risk.counts,
            )
            await unit.scans.succeed(scan.scan_id, summary, now)
        self._shelf.drop(scan.scan_id)
        self._metrics.ended(scan.request.trigger, ScanState.SUCCEEDED)
        self._metrics.succeeded(read.seconds + matching, size)
        log.info("scan finished", extra={"scan_id": scan.scan_id, "state": risk.state.value})


def _outcome(scan: Scan, read: _Read, now: datetime) -> ScanOutcome:
    return ScanOutcome(
        repository=scan.request.repository,
        digest=scan.request.digest,
        scan_id=scan.scan_id,
        platforms=read.platforms,
        missing_platforms=(
            *(f"{platform} is left out by the target's choice." for platform in read.image.left_out),
            *(f"{platform} is not in the archive." for platform in read.image.absent),
        ),
        tag=None,
        finished_at=now,
    )


def _scanned(platform: PlatformInventory) -> ScannedPlatform:
    counts = Counter(feed_of(package.ecosystem) for package in platform.inventory.packages)
    return ScannedPlatform(platform.platform, platform.manifest_digest, counts)
