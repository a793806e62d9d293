"""Judges the images of an admission request, which is recorded, or of a person's question, which is not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from chassis.clock import Clock

from verifier.errors import TooManyImages
from verifier.judging import Context, Judge
from verifier.verdicts import NamedImage, Verdict

IMAGES = 100
"""How many images one call may name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for what kind of object, and whether it will not be stored. Recorded; no verdict depends on it."""

    requester: str
    object_kind: str
    dry_run: bool
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict that was given, for the decision log, which keeps it once by its id."""

    id: str
    time: datetime
    context: Context
    asked: Asked
    verdict: Verdict


class Decisions(Protocol):
    """Takes decisions for the log; never waits, and counts what it has to drop."""

    def record(self, decision: Decision) -> None:
        """Takes one decision."""


class VerdictMetrics(Protocol):
    """Counts verdicts."""

    def verdict(self, verdict: Verdict) -> None:
        """A verdict was given to an adapter."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdicts for the adapters of clusters."""

    judge: Judge
    decisions: Decisions
    metrics: VerdictMetrics
    clock: Clock

    async def verify(
        self, context: Context, asked: Asked, images: Sequence[NamedImage], seconds: float
    ) -> list[Verdict]:
        """The verdict on each image, in order, within so many seconds. Raises TooManyImages."""
        check_count(len(images))
        verdicts = await asyncio.gather(*(self.judge.judge(context, image, seconds) for image in images))
        for verdict in verdicts:
            self.metrics.verdict(verdict)
            self.decisions.record(Decision(uuid4().hex, self.clock.now(), context, asked, verdict))
        return verdicts


def check_count(images: int) -> None:
    """Raises TooManyImages for none or more than 100."""
    if not 1 <= images <= IMAGES:
        raise TooManyImages(f"The request names {images} images; 1 to {IMAGES} may be.", field="images")
