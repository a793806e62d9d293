"""Encodes risks and feed sets."""

from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import risk_pb2 as pb

from scanner.risk.model import Counts, FeedSet, ImageRisk, PlatformRisk, RiskChange, RiskState
from scanner.severity import Severity
from scanner.wire.times import timestamp


def severity(value: Severity | None) -> severity_pb2.Severity.ValueType:
    """Encode a severity; None is unspecified."""
    if value is None:
        return severity_pb2.SEVERITY_UNSPECIFIED
    return severity_pb2.Severity.Value(f"SEVERITY_{value.name}")


def state(value: RiskState) -> pb.ImageRiskState.ValueType:
    """Encode a state."""
    return pb.ImageRiskState.Value(f"IMAGE_RISK_STATE_{value.value}")


def counts(value: Counts) -> severity_pb2.SeverityCounts:
    """Encode counts."""
    critical, high, medium, low, negligible, unknown = value.by_severity
    return severity_pb2.SeverityCounts(
        critical=critical, high=high, medium=medium, low=low, negligible=negligible, unknown=unknown
    )


def image_risk(risk: ImageRisk) -> pb.ImageRisk:
    """Encode a risk."""
    return pb.ImageRisk(
        repository=risk.repository,
        digest=risk.digest,
        state=state(risk.state),
        reasons=risk.reasons,
        unreadable=risk.unreadable,
        worst_severity=severity(risk.counts.worst),
        worst_fixable_severity=severity(risk.fixable_counts.worst),
        counts=counts(risk.counts),
        fixable_counts=counts(risk.fixable_counts),
        risk_digest=risk.risk_digest,
        feed_set_id=risk.feed_set,
        scan_id=risk.scan_id,
        platforms=map(_platform_risk, risk.platforms),
        revision=risk.revision,
    )


def _platform_risk(platform: PlatformRisk) -> pb.PlatformRisk:
    return pb.PlatformRisk(
        platform=platform.platform,
        digest=platform.digest,
        state=state(platform.state),
        worst_severity=severity(platform.worst),
    )


def feed_set(value: FeedSet) -> pb.FeedSet:
    """Encode a feed set."""
    return pb.FeedSet(
        feed_set_id=value.name,
        ecosystems=value.ecosystems,
        as_of=timestamp(value.as_of),
        too_old=value.too_old,
        reasons=value.reasons,
    )


def record(value: FeedSet | ImageRisk) -> pb.RiskRecord:
    """Encode a record of the stream."""
    if isinstance(value, FeedSet):
        return pb.RiskRecord(feed_set=feed_set(value))
    return pb.RiskRecord(image_risk=image_risk(value))


def change(value: RiskChange) -> pb.RiskChange:
    """Encode a change of a risk."""
    return pb.RiskChange(
        time=timestamp(value.time),
        cause=pb.RiskCause.Value(f"RISK_CAUSE_{value.cause.value}"),
        cause_id=value.cause_id,
        state=state(value.state),
        worst_severity=severity(value.counts.worst),
        counts=counts(value.counts),
    )
