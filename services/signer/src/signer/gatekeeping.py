"""Asks the scanner for an image's risk and holds it against the gate of a key."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from chassis.clock import Clock

from signer.errors import GateRefused, RiskChanged
from signer.gate import Failure, Gate, failures
from signer.images import Image
from signer.metrics import Metrics
from signer.risk import GateEvidence, ImageRisk, Risk, evidence

_LONGEST_LIST: Final = 400  # characters of one value: a refusal travels in headers, which are bounded


class Gatekeeper:
    """Lets images pass whose every manifest passes."""

    def __init__(self, risk: Risk, clock: Clock, metrics: Metrics) -> None:
        self._risk = risk
        self._clock = clock
        self._metrics = metrics

    async def admit(self, gate: Gate, image: Image, reviewed: str) -> tuple[GateEvidence, ...]:
        """Return by what risk each part of the image passes, in their order.

        `reviewed` is the risk_digest that somebody saw, or empty. Raises GateRefused with every failure of every part,
        RiskChanged, RiskUnavailable.
        """
        risks = await self._risk.of(image.repository, [part.digest for part in image.parts])
        now = self._clock.now()
        failed = [failure for risk in risks for failure in failures(gate, risk, now)]
        if failed:
            self._metrics.failed(failure.code for failure in failed)
            raise _refused(image, failed)
        _demand_reviewed(risks[0], reviewed)
        return tuple(evidence(risk) for risk in risks)


def _demand_reviewed(risk: ImageRisk, reviewed: str) -> None:
    if reviewed and reviewed != risk.risk_digest:
        raise RiskChanged(
            "The image's open findings are not those that were reviewed; look at them again, then sign.",
            metadata={"reviewed": reviewed, "now": risk.risk_digest},
        )


def _refused(image: Image, failed: Sequence[Failure]) -> GateRefused:
    by_code: dict[str, list[str]] = defaultdict(list)
    for failure in failed:
        by_code[failure.code].append(f"{image.name_of(failure.digest)}: {failure.sentence}")
    listed = {code: _shortened(sentences) for code, sentences in by_code.items()}
    return GateRefused(
        f"{image.repository}@{image.parts[0].digest} does not pass the key's gate. {' '.join(listed.values())}",
        metadata=listed,
    )


def _shortened(sentences: Iterable[str]) -> str:
    text = " ".join(sentences)
    return text if len(text) <= _LONGEST_LIST else text[: _LONGEST_LIST - 1] + "…"
