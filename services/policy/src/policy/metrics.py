"""What the policy service counts."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from policy.records import Decision

_HOW: Final = {False: "activated", True: "rolled_back"}


class Metrics:
    """Implements ActivationMetrics and DecisionMetrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._activations = Counter(
            "hallmark_policy_activations_total",
            "Revisions that came into force, by activation or roll back.",
            ("how",),
            registry=registry,
        )
        self._recorded = Counter(
            "hallmark_policy_decisions_total",
            "Decisions kept in the log, by outcome and effect.",
            ("outcome", "effect"),
            registry=registry,
        )
        self._known = Counter(
            "hallmark_policy_decisions_known_total", "Decisions sent again that were kept before.", registry=registry
        )
        self._refused = Counter(
            "hallmark_policy_decisions_refused_total",
            "Decisions not kept, being malformed or of another's cluster.",
            registry=registry,
        )
        self._deleted = Counter(
            "hallmark_policy_decisions_deleted_total", "Decisions deleted for their age or number.", registry=registry
        )

    def activated(self, *, rolled_back: bool) -> None:
        """A revision came into force."""
        self._activations.labels(_HOW[rolled_back]).inc()

    def recorded(self, decision: Decision) -> None:
        """A decision is new in the log."""
        self._recorded.labels(decision.outcome.value, decision.effect.value).inc()

    def known(self, count: int) -> None:
        """So many were sent again."""
        self._known.inc(count)

    def refused(self, count: int) -> None:
        """So many are not kept."""
        self._refused.inc(count)

    def deleted(self, count: int) -> None:
        """So many were old."""
        self._deleted.inc(count)
