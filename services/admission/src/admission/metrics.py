"""What the adapter counts and times. No label holds what a stranger wrote."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from admission.reviews import Request
from admission.workloads import workload_of

_OTHER: Final = "other"
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts reviews by path, kind, operation and outcome."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "hallmark_admission_requests_total",
            "Reviews answered, by path, kind of object, operation and outcome.",
            ("path", "kind", "operation", "outcome"),
            registry=registry,
        )
        self._refused = Counter(
            "hallmark_admission_refused_requests_total",
            "Requests that were no review, by the HTTP status that says why; some were answered by a denial instead.",
            ("status",),
            registry=registry,
        )
        self._seconds = Histogram(
            "hallmark_admission_request_seconds",
            "Time to answer a review, by path.",
            ("path",),
            registry=registry,
            buckets=_BUCKETS,
        )
        self._errors = Counter(
            "hallmark_admission_verifier_errors_total",
            "Calls that the verifier did not answer, by the kind of error.",
            ("kind",),
            registry=registry,
        )

    def answered(self, path: str, request: Request, outcome: str, seconds: float) -> None:
        """A review was answered; `path` and `outcome` are words of ours."""
        known = workload_of(request.kind.group, request.kind.kind)
        operation = request.operation if request.operation in _OPERATIONS else _OTHER
        self._requests.labels(path, known.kind if known else _OTHER, operation, outcome).inc()
        self._seconds.labels(path).observe(seconds)

    def refused(self, status: int) -> None:
        """A request was no review."""
        self._refused.labels(str(status)).inc()

    def verifier_failed(self, kind: str) -> None:
        """The verifier did not answer."""
        self._errors.labels(kind).inc()
