"""How far the scans at work in this process are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from chassis.watch import Notifier


class Phase(Enum):
    """What a scan is at."""

    QUEUED = "QUEUED"
    PULLING = "PULLING"
    MATCHING = "MATCHING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is; sizes are bytes of layers as stored. Totals are 0 while the manifests were not read."""

    phase: Phase
    size: int = 0
    size_total: int = 0
    layers: int = 0
    layers_total: int = 0


class Board:
    """The progress of each scan at work, by its id; whoever waits on `changed` hears of each step."""

    def __init__(self) -> None:
        self.changed = Notifier()
        self._held: dict[str, ScanProgress] = {}

    def get(self, scan_id: str) -> ScanProgress | None:
        """How far a scan is; None where it is not at work here."""
        return self._held.get(scan_id)

    def open(self, scan_id: str) -> "Tracker":
        """Begins to hold a scan's progress."""
        tracker = Tracker(lambda progress: self._put(scan_id, progress))
        tracker.show()
        return tracker

    def close(self, scan_id: str) -> None:
        """Ends to hold a scan's progress."""
        self._held.pop(scan_id, None)
        self.changed.notify()

    def _put(self, scan_id: str, progress: ScanProgress) -> None:
        self._held[scan_id] = progress
        self.changed.notify()


class Tracker:
    """The progress of one scan; implements the port Progress of pulling."""

    def __init__(self, put: Callable[[ScanProgress], None]) -> None:
        self._put = put
        self._progress = ScanProgress(Phase.PULLING)

    @property
    def size(self) -> int:
        """Bytes of layers pulled so far."""
        return self._progress.size

    def begin(self, size: int, layers: int) -> None:
        """Say how many bytes and layers there are; again where some must be read again."""
        held = self._progress
        self._progress = replace(held, size_total=held.size_total + size, layers_total=held.layers_total + layers)
        self.show()

    def pulled(self, size: int) -> None:
        """Say that so many bytes more were pulled."""
        self._progress = replace(self._progress, size=self._progress.size + size)
        self.show()

    def spared(self, size: int) -> None:
        """Say that a layer was there already: its bytes are not pulled."""
        held = self._progress
        self._progress = replace(held, size_total=max(held.size_total - size, held.size), layers=held.layers + 1)
        self.show()

    def read(self) -> None:
        """Say that a layer more was read to its end."""
        self._progress = replace(self._progress, layers=self._progress.layers + 1)
        self.show()

    def match(self) -> None:
        """Say that everything was read."""
        self._progress = replace(self._progress, phase=Phase.MATCHING)
        self.show()

    def show(self) -> None:
        """Tell the board."""
        self._put(self._progress)
