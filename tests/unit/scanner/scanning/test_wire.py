"""What comes over the wire: bad input names its field, and what is stored goes out whole."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chassis.errors import InvalidArgument
from google.protobuf.field_mask_pb2 import FieldMask
from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import inventory_pb2, risk_pb2, scan_pb2, scan_service_pb2, target_pb2
from scanner import failures
from scanner.inventory.model import Evidence
from scanner.progress import Phase, ScanProgress
from scanner.risk.model import Counts, RiskState
from scanner.scan_records import Failure, Request, Scan, ScannedPlatform, ScanState, Summary, Trigger
from scanner.severity import Severity
from scanner.wire import scans, targets

from tests.factories.outcomes import NOW

DIGEST = "sha256:" + "a" * 64
REQUEST = Request("reg.example/app", DIGEST, Trigger.PUSH, "v1", "all")
SCAN = Scan(1, "id", REQUEST, ScanState.RUNNING, 1, 2, NOW, NOW, started=NOW, analyzers={"dpkg": 1})
SUMMARY = Summary(
    platforms=(ScannedPlatform("linux/amd64", DIGEST, {"Debian": 3}),),
    left_out=("linux/arm64",),
    size=1234,
    reading=timedelta(seconds=1.5),
    matching=timedelta(milliseconds=250),
    advisory_revision=7,
    risk_state=RiskState.INCOMPLETE,
    counts=Counts.of([Severity.HIGH, Severity.LOW]),
)


def test_whatever_tells_of_a_package_can_be_sent() -> None:
    sent = {name.removeprefix("PACKAGE_EVIDENCE_") for name in inventory_pb2.PackageEvidence.DESCRIPTOR.values_by_name}
    assert sent == {evidence.value for evidence in Evidence} | {"UNSPECIFIED"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "All"}, "target.name"),
        ({"name": ""}, "target.name"),
        ({"name": "a" * 64}, "target.name"),
        ({"registry": ""}, "target.registry"),
        ({"registry": "UPPER.example"}, "target.registry"),
        ({"registry": "reg.example/path"}, "target.registry"),
        ({"registry": "reg.example@x"}, "target.registry"),
        ({"include": ["a b"]}, "target.include"),
        ({"include": ["a"] * 101}, "target.include"),
        ({"exclude": ["***"]}, "target.exclude"),
        ({"platforms": ["linux"]}, "target.platforms"),
        ({"platforms": ["linux/amd64"] * 33}, "target.platforms"),
    ],
)
def test_bad_targets(fields: dict[str, Any], field: str) -> None:
    good: dict[str, Any] = {"name": "all", "registry": "reg.example:5000", "include": ["team/**"]}
    assert targets.new(target_pb2.Target(**good)).registry == "reg.example:5000"
    with pytest.raises(InvalidArgument) as refusal:
        targets.new(target_pb2.Target(**good | fields))
    assert refusal.value.field == field


@pytest.mark.parametrize("paths", [[], ["name"], ["registry"], ["enabled", "token"]])
def test_bad_masks(paths: list[str]) -> None:
    assert targets.fields(FieldMask(paths=["enabled"])) == {"enabled"}
    with pytest.raises(InvalidArgument) as refusal:
        targets.fields(FieldMask(paths=paths))
    assert refusal.value.field == "update_mask"


def test_an_image_without_tag_or_digest_is_the_latest() -> None:
    assert str(scans.image("reg.example/a")) == "reg.example/a:latest"


@pytest.mark.parametrize(
    "text", ["", "reg.example/UPPER", "a" * 64, "reg.example/a:v1:v2", "reg.example/a@sha512:" + "a" * 128]
)
def test_bad_references(text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        scans.image(text)
    assert refusal.value.field == "image"


@pytest.mark.parametrize(
    ("fields", "field"), [({"states": [0]}, "states"), ({"triggers": [99]}, "triggers"), ({"digest": "x"}, "digest")]
)
def test_bad_filters(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        scans.scan_filter(scan_service_pb2.ListScansRequest(**fields))
    assert refusal.value.field == field


def test_a_scan_at_work() -> None:
    encoded = scans.scan(SCAN)
    assert (encoded.state, encoded.trigger, encoded.attempts) == (
        scan_pb2.SCAN_STATE_RUNNING,
        scan_pb2.SCAN_TRIGGER_PUSH,
        2,
    )
    assert (encoded.repository, encoded.tag, encoded.target) == ("reg.example/app", "v1", "all")
    assert not encoded.HasField("ended")
    assert not encoded.HasField("counts")


def test_a_scan_that_succeeded() -> None:
    encoded = scans.scan(replace(SCAN, state=ScanState.SUCCEEDED, ended=NOW, summary=SUMMARY))
    assert (encoded.bytes, encoded.advisory_revision) == (1234, 7)
    assert (encoded.reading.ToMilliseconds(), encoded.matching.ToMilliseconds()) == (1500, 250)
    assert dict(encoded.platforms[0].packages) == {"Debian": 3}
    assert encoded.risk_state == risk_pb2.IMAGE_RISK_STATE_INCOMPLETE
    assert encoded.worst_severity == severity_pb2.SEVERITY_HIGH
    assert (encoded.counts.high, encoded.counts.low) == (1, 1)
    assert list(encoded.platforms_left_out) == ["linux/arm64"]


def test_what_stood_in_the_way_is_shown_of_a_failed_scan_alone() -> None:
    trouble = Failure("LAYER_TRUNCATED", "It ends.")
    assert not scans.scan(replace(SCAN, failure=trouble)).HasField("failure")
    encoded = scans.scan(replace(SCAN, state=ScanState.FAILED, failure=trouble))
    assert encoded.failure.reason == scan_pb2.SCAN_FAILURE_REASON_LAYER_TRUNCATED
    assert encoded.failure.message == "It ends."


def test_every_reason_has_a_value() -> None:
    for kind in failures.ScanFailure.__subclasses__():
        assert scan_pb2.ScanFailureReason.Value(f"SCAN_FAILURE_REASON_{kind('').reason}")


@pytest.mark.parametrize("phase", Phase)
def test_progress(phase: Phase) -> None:
    encoded = scans.progress(ScanProgress(phase, 1, 2, 3, 4))
    assert scan_pb2.ScanPhase.Name(encoded.phase) == f"SCAN_PHASE_{phase.value}"
    assert (encoded.bytes, encoded.bytes_total, encoded.layers, encoded.layers_total) == (1, 2, 3, 4)
