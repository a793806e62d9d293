"""Asks the scanner for risk. What the answer does not say clearly counts as no answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import grpc.aio
from chassis.client import call
from chassis.errors import Refusal
from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import image_service_pb2, image_service_pb2_grpc, risk_pb2

from signer.errors import RiskUnavailable
from signer.risk import ImageRisk, RiskState, Severity


class Scanner:
    """Implements the port Risk over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, timeout: float) -> None:
        self._images = image_service_pb2_grpc.ImageServiceStub(channel)
        self._timeout = timeout

    async def of(self, repository: str, digests: Sequence[str]) -> tuple[ImageRisk, ...]:
        """Return the risk of each digest in `host/repository`, in their order. Raises RiskUnavailable."""
        asked = [image_service_pb2.GetImageRiskRequest(repository=repository, digest=digest) for digest in digests]
        request = image_service_pb2.BatchGetImageRiskRequest(requests=asked)
        try:
            answer = await call(self._images.BatchGetImageRisk, request, timeout=self._timeout)
        except Refusal as refusal:
            raise RiskUnavailable(
                f"The scanner does not tell the risk of {repository}: {refusal.message.rstrip('.')}. "
                "Nothing was signed; try again.",
                metadata={"cause": refusal.reason},
            ) from refusal
        _demand_answered(answer, repository, digests)
        feeds = {feed.feed_set_id: feed for feed in answer.feed_sets}
        return tuple(_risk(risk, feeds) for risk in answer.image_risks)


def _demand_answered(
    answer: image_service_pb2.BatchGetImageRiskResponse, repository: str, digests: Sequence[str]
) -> None:
    if [(risk.repository, risk.digest) for risk in answer.image_risks] != [(repository, digest) for digest in digests]:
        raise RiskUnavailable("The scanner answered for other images than it was asked about. Nothing was signed.")


def _risk(risk: risk_pb2.ImageRisk, feeds: Mapping[str, risk_pb2.FeedSet]) -> ImageRisk:
    return ImageRisk(
        digest=risk.digest,
        state=_state(risk),
        reasons=tuple(risk.reasons),
        scan_id=risk.scan_id,
        as_of=_as_of(feeds.get(risk.feed_set_id)),
        worst=_worst(risk.worst_severity),
        counts=_counts(risk.counts),
        fixable_counts=_counts(risk.fixable_counts),
        unreadable=risk.unreadable,
        risk_digest=risk.risk_digest,
    )


def _state(risk: risk_pb2.ImageRisk) -> RiskState:
    known = risk_pb2.ImageRiskState.DESCRIPTOR.values_by_number.get(risk.state)
    name = known.name.removeprefix("IMAGE_RISK_STATE_") if known else ""
    if name not in RiskState.__members__:
        raise RiskUnavailable(
            f"The scanner gives {risk.digest} a state that the signer does not know. Nothing was signed."
        )
    return RiskState[name]


def _as_of(feeds: risk_pb2.FeedSet | None) -> datetime | None:
    if feeds is None or feeds.too_old or not feeds.HasField("as_of"):
        return None
    return feeds.as_of.ToDatetime(tzinfo=UTC)


def _worst(severity: severity_pb2.Severity.ValueType) -> Severity | None:
    known = severity_pb2.Severity.DESCRIPTOR.values_by_number.get(severity)
    return Severity.__members__.get(known.name.removeprefix("SEVERITY_")) if known else None


def _counts(counts: severity_pb2.SeverityCounts) -> Mapping[Severity, int]:
    return {
        Severity.CRITICAL: counts.critical,
        Severity.HIGH: counts.high,
        Severity.MEDIUM: counts.medium,
        Severity.LOW: counts.low,
        Severity.NEGLIGIBLE: counts.negligible,
        Severity.UNKNOWN: counts.unknown,
    }
