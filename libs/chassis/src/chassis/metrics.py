"""Metrics: registries are passed in, children are made once, and no label holds what a user wrote."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class CallMetrics:
    """Counts and times the calls of a server, by RPC and status code."""

    def __init__(self, registry: CollectorRegistry, service: str) -> None:
        name = f"hallmark_{service}_calls"
        self._calls = Counter(name, "Calls by RPC and status code.", ("rpc", "code"), registry=registry)
        self._seconds = Histogram(
            f"{name}_seconds", "Time to answer by RPC.", ("rpc",), registry=registry, buckets=_BUCKETS
        )

    def observe(self, method: str, code: str, seconds: float) -> None:
        """Note one call; `method` is a full name that the server knows."""
        self._calls.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)
