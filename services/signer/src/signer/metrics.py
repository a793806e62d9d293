"""What the signer counts."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from chassis.errors import Refusal
from prometheus_client import CollectorRegistry, Counter, Histogram

_DONE: Final = "DONE"
_CANCELLED: Final = "CANCELLED"
_DEFECT: Final = "INTERNAL"


class Metrics:
    """Counters of the signer on a given registry. Labels are reason codes and constants, never what a user sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._signings = Counter(
            "hallmark_signer_signings",
            "Signings asked for, by outcome: DONE or a reason code.",
            ["outcome"],
            registry=registry,
        )
        self._duration = Histogram(
            "hallmark_signer_signing_duration_seconds", "How long signings took that were done.", registry=registry
        )
        self._failures = Counter(
            "hallmark_signer_gate_failures",
            "Checks of gates that manifests failed, by code.",
            ["code"],
            registry=registry,
        )
        self._vault_errors = Counter(
            "hallmark_signer_vault_errors",
            "Calls of the vault that failed, by reason code.",
            ["reason"],
            registry=registry,
        )

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Count one signing and how it ends."""
        start = time.monotonic()
        outcome = _DEFECT
        try:
            yield
            outcome = _DONE
            self._duration.observe(time.monotonic() - start)
        except Refusal as refusal:
            outcome = refusal.reason
            raise
        except asyncio.CancelledError:
            outcome = _CANCELLED
            raise
        finally:
            self._signings.labels(outcome).inc()

    @contextmanager
    def vault(self) -> Iterator[None]:
        """Count what the vault refuses."""
        try:
            yield
        except Refusal as refusal:
            self._vault_errors.labels(refusal.reason).inc()
            raise

    def failed(self, codes: Iterable[str]) -> None:
        """Count the checks of a gate that failed."""
        for code in codes:
            self._failures.labels(code).inc()
