"""Taking in archives of images from callers, to be scanned."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chassis.clock import Clock
from chassis.identity import Caller
from chassis.watch import Notifier
from chassis.workers import Workers

from scanner.archives.archive import limits_of, take_in
from scanner.archives.layout import ArchivedImage, find_image
from scanner.archives.shelf import Shelf
from scanner.errors import ImageArchiveBroken, ImageArchiveTooLarge, NoRoom, UploadTooSlow
from scanner.failures import LimitExceeded, ScanFailure
from scanner.pulling.streaming import read_in_thread
from scanner.scan_records import Request, Scan, Trigger
from scanner.scans import request_scan
from scanner.store import Store

LONGEST_SILENCE = 60.0
"""Seconds that a chunk may take to come."""
LONGEST_UPLOAD = 3600.0
"""Seconds that an archive may take to come."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is sent, and what its image is to be known by: `repository` (`archive.invalid/…`), and `tag` unless empty.

    `image` says which one of several is meant, unless empty.
    """

    repository: str
    tag: str
    image: str


@dataclass(frozen=True, slots=True)
class Room:
    """Where archives lie while they are read, and how many bytes one may have, decompressed."""

    folder: Path | None = None
    size: int = 8 * 2**30


class ArchiveDesk:
    """Takes in archives. Each lies in a file without a name, which is gone with the process, however that ends."""

    def __init__(self, store: Store, shelf: Shelf, workers: Workers, clock: Clock, queue: Notifier, room: Room) -> None:
        self._store = store
        self._shelf = shelf
        self._workers = workers
        self._clock = clock
        self._queue = queue
        self._room = room

    async def scan(self, caller: Caller, upload: Upload, chunks: AsyncIterator[bytes]) -> Scan:
        """Take in an archive, and queue a scan of the image in it.

        Raises PermissionDenied, TooManyArchives, ImageArchiveBroken, ImageArchiveUnclear, ImageArchiveTooLarge,
        UploadTooSlow and NoRoom.
        """
        caller.scope.demand_repository(upload.repository)
        with self._shelf.room():
            image = await self._taken_in(upload, chunks)
            return await self._queued(upload, image)

    async def _taken_in(self, upload: Upload, chunks: AsyncIterator[bytes]) -> ArchivedImage:
        try:
            async with asyncio.timeout(LONGEST_UPLOAD):
                return await self._image(upload, chunks)
        except TimeoutError as late:
            raise UploadTooSlow(f"The archive did not come within {LONGEST_UPLOAD:g} seconds.") from late
        except OSError as error:
            raise NoRoom(f"The archive can't be taken in: {error.strerror}.") from error
        except ScanFailure as failure:
            message = failure.message.replace("A layer", "The archive", 1)  # it is read as a layer is
            refusal = ImageArchiveTooLarge if isinstance(failure, LimitExceeded) else ImageArchiveBroken
            raise refusal(message) from failure

    async def _image(self, upload: Upload, chunks: AsyncIterator[bytes]) -> ArchivedImage:
        limits = limits_of(self._room.size)
        file = tempfile.TemporaryFile(dir=self._room.folder)  # noqa: SIM115  # whoever holds the image closes it
        try:
            archive = await read_in_thread(
                _in_time(chunks), lambda stored: take_in(stored, file, limits), self._workers
            )
            return await self._workers.run(find_image, archive, upload.image)
        except BaseException:
            with suppress(OSError):  # closing tries again to write what there was no room for
                file.close()
            raise

    async def _queued(self, upload: Upload, image: ArchivedImage) -> Scan:
        request = Request(upload.repository, image.digest, Trigger.MANUAL, tag=upload.tag)
        scan: Scan | None = None
        held = False
        try:
            async with self._store.begin() as unit:
                scan = await request_scan(unit, request, self._clock, force=True)
                held = self._shelf.put(scan.scan_id, image)  # before the row can be seen, and the scan begin
        except BaseException:
            if scan and held:
                self._shelf.drop(scan.scan_id)
                held = False
            raise
        finally:
            if not held:
                image.archive.close()
        self._queue.notify()
        return scan


async def _in_time(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(LONGEST_SILENCE):
                chunk = await anext(chunks, None)
        except TimeoutError as late:
            raise UploadTooSlow(f"Nothing of the archive came for {LONGEST_SILENCE:g} seconds.") from late
        if chunk is None:
            return
        yield chunk
