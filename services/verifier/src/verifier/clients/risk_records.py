"""WatchImageRisk in the verifier's words. A state that is not known is none that passes."""

from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import risk_pb2

from verifier.clients.streams import UnknownRecord, time_of
from verifier.risk import Counts, FeedSet, ImageRisk, RiskRecord, RiskState, Severity

_STATES = {
    risk_pb2.IMAGE_RISK_STATE_NOT_SCANNED: RiskState.NOT_SCANNED,
    risk_pb2.IMAGE_RISK_STATE_SCANNING: RiskState.SCANNING,
    risk_pb2.IMAGE_RISK_STATE_SCANNED: RiskState.SCANNED,
    risk_pb2.IMAGE_RISK_STATE_INCOMPLETE: RiskState.INCOMPLETE,
    risk_pb2.IMAGE_RISK_STATE_FAILED: RiskState.FAILED,
    risk_pb2.IMAGE_RISK_STATE_UNSUPPORTED: RiskState.UNSUPPORTED,
}


def decode_risk(record: risk_pb2.RiskRecord) -> RiskRecord:
    """One record of WatchImageRisk. Raises UnknownRecord."""
    match record.WhichOneof("record"):
        case "feed_set":
            feeds = record.feed_set
            return FeedSet(feeds.feed_set_id, time_of(feeds, "as_of"), feeds.too_old, tuple(feeds.reasons))
        case "image_risk":
            return _image_risk(record.image_risk)
    raise UnknownRecord("The scanner sent a record of a kind that this verifier does not know.")


def _image_risk(risk: risk_pb2.ImageRisk) -> ImageRisk:
    return ImageRisk(
        repository=risk.repository,
        digest=risk.digest,
        state=_STATES.get(risk.state, RiskState.INCOMPLETE),
        reasons=tuple(risk.reasons[:3]),
        unreadable=risk.unreadable,
        counts=_counts(risk.counts),
        fixable=_counts(risk.fixable_counts),
        feed_set=risk.feed_set_id,
    )


def _counts(counts: severity_pb2.SeverityCounts) -> Counts:
    return Counts(
        rated={
            Severity.CRITICAL: counts.critical,
            Severity.HIGH: counts.high,
            Severity.MEDIUM: counts.medium,
            Severity.LOW: counts.low,
            Severity.NEGLIGIBLE: counts.negligible,
        },
        unknown=counts.unknown,
    )
