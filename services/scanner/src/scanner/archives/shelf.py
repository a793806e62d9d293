"""Archives that wait to be read, or are being read, by their scans."""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.workers import Workers

from scanner.archives.layout import ArchivedImage
from scanner.archives.source import ArchiveSource
from scanner.errors import TooManyArchives
from scanner.failures import ArchiveLost

_RETRY_AFTER = 10.0


class Shelf:
    """Holds the archives of scans that have not ended, in this process alone; `most` of them, those that are still
    taken in counted.
    """

    def __init__(self, workers: Workers, most: int) -> None:
        self._workers = workers
        self._most = most
        self._coming = 0
        self._held: dict[str, ArchivedImage] = {}

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for an archive while it is taken in. Raises TooManyArchives."""
        if self._coming + len(self._held) >= self._most:
            raise TooManyArchives(
                f"{self._most} archives are being sent or wait to be read, the bound `archives.held`. Try again later.",
                retry_after=_RETRY_AFTER,
            )
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def put(self, scan_id: str, image: ArchivedImage) -> bool:
        """Hold the archive of a scan, unless it has one; returns whether it is held now."""
        return self._held.setdefault(scan_id, image) is image

    def source(self, scan_id: str) -> ArchiveSource:
        """Where a scan reads its image. Raises ArchiveLost."""
        image = self._held.get(scan_id)
        if image is None:
            raise ArchiveLost("The scanner was started anew before the archive was read. Send it again.")
        return ArchiveSource(image, self._workers)

    def drop(self, scan_id: str) -> None:
        """Let go of the archive of a scan that has ended, if it had one."""
        image = self._held.pop(scan_id, None)
        if image is not None:
            image.archive.close()

    def close(self) -> None:
        """Let go of all."""
        for scan_id in list(self._held):
            self.drop(scan_id)
