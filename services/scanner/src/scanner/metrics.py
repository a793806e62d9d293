"""What the scanner counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from scanner.scan_records import ScanState, Trigger

_BUCKETS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class ScanMetrics:
    """Scans and push events. Labels are words of ours, never what a user wrote."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._scans = Counter(
            "hallmark_scanner_scans", "Scans that ended, by trigger and state.", ("trigger", "state"), registry=registry
        )
        self._failures = Counter(
            "hallmark_scanner_scan_failures", "Attempts that failed, by reason.", ("reason",), registry=registry
        )
        self._seconds = Histogram(
            "hallmark_scanner_scan_seconds",
            "Time from the beginning of a successful attempt to its end.",
            registry=registry,
            buckets=_BUCKETS,
        )
        self._bytes = Counter("hallmark_scanner_layer_bytes", "Bytes of layers pulled.", registry=registry)
        self._queue = Gauge("hallmark_scanner_queued_scans", "Scans that have not ended.", registry=registry)
        self._events = Counter(
            "hallmark_scanner_events", "Push events, by what became of them.", ("outcome",), registry=registry
        )

    def ended(self, trigger: Trigger, state: ScanState) -> None:
        """Count a scan that ended."""
        self._scans.labels(trigger.value, state.value).inc()

    def succeeded(self, seconds: float, size: int) -> None:
        """Note how long a successful attempt took, and the bytes of layers that it pulled."""
        self._seconds.observe(seconds)
        self._bytes.inc(size)

    def failed(self, reason: str) -> None:
        """Count an attempt that failed, by a reason of scanner.failures."""
        self._failures.labels(reason).inc()

    def queued(self, count: int) -> None:
        """Note how many scans have not ended."""
        self._queue.set(count)

    def event(self, outcome: str) -> None:
        """Count a push event; `outcome` is a word of scanner.events."""
        self._events.labels(outcome).inc()
