"""What the verifier counts. No label holds what a user wrote."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from verifier.verdicts import Verdict


class VerifierMetrics:
    """The counters of verdicts, evidence and decisions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._verdicts = Counter(
            "hallmark_verifier_verdicts",
            "Verdicts given to adapters, by outcome and effect.",
            ("outcome", "effect"),
            registry=registry,
        )
        self._reasons = Counter(
            "hallmark_verifier_reasons", "Reasons of verdicts given to adapters.", ("code",), registry=registry
        )
        self._lookups = Counter(
            "hallmark_verifier_lookups", "Digests looked up, from memory or registry.", ("source",), registry=registry
        )
        self._checks = Counter(
            "hallmark_verifier_checks", "Signatures under keys, remembered or computed.", ("source",), registry=registry
        )
        self._requests = Counter(
            "hallmark_verifier_registry_requests", "Requests to registries, by result.", ("result",), registry=registry
        )
        self._decisions = Counter(
            "hallmark_verifier_decisions", "Decisions recorded, or dropped.", ("result",), registry=registry
        )

    def verdict(self, verdict: Verdict) -> None:
        """A verdict was given to an adapter."""
        self._verdicts.labels(verdict.outcome.value, verdict.effect.value).inc()
        for reason in verdict.reasons:
            self._reasons.labels(reason.code.value).inc()

    def lookup(self, *, remembered: bool) -> None:
        """A digest was looked up."""
        self._lookups.labels("memory" if remembered else "registry").inc()

    def checks(self, *, remembered: int, computed: int) -> None:
        """Signatures were held against keys."""
        self._checks.labels("memory").inc(remembered)
        self._checks.labels("computed").inc(computed)

    def requested(self, result: str) -> None:
        """A registry was asked; `result` is one of found, absent, failed."""
        self._requests.labels(result).inc()

    def recorded(self, count: int) -> None:
        """Decisions were recorded."""
        self._decisions.labels("recorded").inc(count)

    def dropped(self, count: int) -> None:
        """Decisions were dropped."""
        self._decisions.labels("dropped").inc(count)

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Shows a value as it is when somebody looks."""
        Gauge(f"hallmark_verifier_{name}", text, registry=self._registry).set_function(value)
