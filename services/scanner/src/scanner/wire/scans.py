"""Decodes questions about scans, and encodes the answers."""

from collections.abc import Iterable
from datetime import timedelta

from chassis.errors import InvalidArgument, Refusal
from google.protobuf.duration_pb2 import Duration
from hallmark.scanner.v1 import scan_pb2 as pb
from hallmark.scanner.v1 import scan_service_pb2
from registry.references import Reference, parse_image, parse_reference

from scanner.archives.naming import HOST
from scanner.progress import ScanProgress
from scanner.scan_records import Scan, ScanFilter, ScanState, Summary, Trigger
from scanner.uploads import Upload
from scanner.wire import reading, risks
from scanner.wire.times import timestamp

_LONGEST_IMAGE = 512


def image(text: str) -> Reference:
    """Decode an image reference."""
    try:
        return parse_image(text)
    except Refusal as refusal:
        raise InvalidArgument(refusal.message, field="image") from None


def upload(header: scan_service_pb2.ArchiveHeader) -> Upload:
    """Decode what an archive's image is to be known by, and which one is meant."""
    try:
        named = parse_reference(f"{HOST}/{header.name}")
    except Refusal as refusal:
        raise InvalidArgument(refusal.message, field="header.name") from None
    if named.host != HOST or named.digest is not None:
        raise InvalidArgument("A name is path or path:tag, without host and digest.", field="header.name")
    if len(header.image) > _LONGEST_IMAGE or not (header.image.isprintable() or not header.image):
        raise InvalidArgument(
            f"An image's name has at most {_LONGEST_IMAGE} printable characters.", field="header.image"
        )
    return Upload(named.name, named.tag or "", header.image)


def scan_filter(request: scan_service_pb2.ListScansRequest) -> ScanFilter:
    """Decode which scans are asked for, but for the repository."""
    return ScanFilter(
        digest=reading.digest(request.digest) if request.digest else "",
        target=request.target,
        states=_states(request.states),
        triggers=_triggers(request.triggers),
    )


def _states(values: Iterable[int]) -> frozenset[ScanState]:
    descriptor = pb.ScanState.DESCRIPTOR
    return frozenset(ScanState(reading.enum(descriptor, "SCAN_STATE_", value, "states")) for value in values)


def _triggers(values: Iterable[int]) -> frozenset[Trigger]:
    descriptor = pb.ScanTrigger.DESCRIPTOR
    return frozenset(Trigger(reading.enum(descriptor, "SCAN_TRIGGER_", value, "triggers")) for value in values)


def scan(value: Scan) -> pb.Scan:
    """Encode a scan."""
    request = value.request
    encoded = pb.Scan(
        scan_id=value.scan_id,
        repository=request.repository,
        digest=request.digest,
        tag=request.tag,
        trigger=pb.ScanTrigger.Value(f"SCAN_TRIGGER_{request.trigger.value}"),
        target=request.target,
        state=pb.ScanState.Value(f"SCAN_STATE_{value.state.value}"),
        attempts=value.attempts,
        created=timestamp(value.created),
        started=timestamp(value.started),
        ended=timestamp(value.ended),
        analyzers=value.analyzers,
    )
    if value.state is ScanState.FAILED and value.failure:
        reason = pb.ScanFailureReason.Value(f"SCAN_FAILURE_REASON_{value.failure.reason}")
        encoded.failure.CopyFrom(pb.ScanFailure(reason=reason, message=value.failure.message))
    if value.summary:
        encoded.MergeFrom(_summary(value.summary))
    return encoded


def _summary(summary: Summary) -> pb.Scan:
    """What only a scan that succeeded has."""
    return pb.Scan(
        reading=_duration(summary.reading),
        matching=_duration(summary.matching),
        bytes=summary.size,
        platforms=[
            pb.ScannedPlatform(platform=one.platform, digest=one.digest, packages=one.packages)
            for one in summary.platforms
        ],
        platforms_left_out=summary.left_out,
        advisory_revision=summary.advisory_revision,
        risk_state=risks.state(summary.risk_state),
        worst_severity=risks.severity(summary.counts.worst),
        counts=risks.counts(summary.counts),
    )


def progress(value: ScanProgress) -> pb.ScanProgress:
    """Encode how far a scan is."""
    return pb.ScanProgress(
        phase=pb.ScanPhase.Value(f"SCAN_PHASE_{value.phase.value}"),
        bytes=value.size,
        bytes_total=value.size_total,
        layers=value.layers,
        layers_total=value.layers_total,
    )


def _duration(value: timedelta) -> Duration:
    encoded = Duration()
    encoded.FromTimedelta(value)
    return encoded
