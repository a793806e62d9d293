"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A Clock for tests: `advance` moves both times, `set` makes the time of day jump."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def set(self, time: datetime) -> None:
        self._now = time

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
