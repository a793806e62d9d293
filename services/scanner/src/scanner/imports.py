"""Taking imports of advisories in from callers."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import IO

from chassis.clock import Clock
from chassis.workers import Workers

from scanner.advisories.advisory import Reading, read_advisories
from scanner.advisories.archive import Batch, read_archive
from scanner.advisories.sightings import Sighting
from scanner.errors import ArchiveTooLarge, NoRoom
from scanner.learning import ImportHeader, ImportResult, learn
from scanner.risk.freshness import MaxAge
from scanner.store import Store

LARGEST_UPLOAD = 2 * 2**30
"""Bytes of a zip."""
_KEPT_IN_MEMORY = 8 * 2**20


class Importer:
    """Takes imports in from callers."""

    def __init__(self, store: Store, workers: Workers, clock: Clock, max_age: MaxAge) -> None:
        self._store = store
        self._workers = workers
        self._clock = clock
        self._max_age = max_age

    async def run(self, header: ImportHeader, chunks: AsyncIterator[bytes]) -> ImportResult:
        """Import the zip that `chunks` make. Raises what `learn` raises, ArchiveTooLarge and NoRoom."""
        try:
            with tempfile.SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY) as file:
                await _receive(chunks, file)
                return await self._learn(header, file)
        except OSError as error:  # closing the file tries again to write what there was no room for
            raise NoRoom(f"The zip can't be taken in: {error.strerror}. Nothing was imported.") from error

    async def _learn(self, header: ImportHeader, file: IO[bytes]) -> ImportResult:
        now = self._clock.now()
        async with self._store.begin() as unit:

            async def read(sightings: Sequence[Sighting]) -> Reading:
                return await self._workers.run(read_advisories, sightings, now)

            result = await learn(unit, header, self._batches(file, now), read, self._max_age, now)
            await unit.record("advisories.import", ",".join(result.ecosystems), _details(header, result))
        return result

    async def _batches(self, file: IO[bytes], now: datetime) -> AsyncIterator[Batch]:
        batches = read_archive(file, now)
        while (batch := await self._workers.run(next, batches, None)) is not None:
            yield batch


async def _receive(chunks: AsyncIterator[bytes], file: IO[bytes]) -> None:
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > LARGEST_UPLOAD:
            raise ArchiveTooLarge(f"The zip is larger than {LARGEST_UPLOAD} bytes. Nothing was imported.")
        file.write(chunk)
    file.flush()


def _details(header: ImportHeader, result: ImportResult) -> Mapping[str, str]:
    return {
        "import_id": result.import_id,
        "as_of": result.as_of.isoformat(),
        "as_of_stated": str(header.as_of is not None).lower(),
        "complete": str(header.complete).lower(),
        "accept_shrink": str(header.accept_shrink).lower(),
        "added": str(result.added),
        "updated": str(result.updated),
        "removed": str(result.removed),
        "skipped": str(result.skipped),
    }
