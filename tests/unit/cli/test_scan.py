"""Scanning, and what is shown of images: the answer, the table, the JSON and the documents."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1.severity_pb2 import Severity, SeverityCounts
from hallmark.scanner.v1 import (
    finding_pb2,
    finding_service_pb2,
    image_pb2,
    image_service_pb2,
    inventory_pb2,
    risk_pb2,
    scan_pb2,
    scan_service_pb2,
    vulnerability_pb2,
)

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"reg.example.com/shop@{DIGEST}"
MOMENT = Timestamp(seconds=1_900_000_000)
Context = grpc.ServicerContext


def risk(state: str = "SCANNED", worst: int = 0, **counts: int) -> risk_pb2.ImageRisk:
    return risk_pb2.ImageRisk(
        repository="reg.example.com/shop",
        digest=DIGEST,
        state=risk_pb2.ImageRiskState.Value(f"IMAGE_RISK_STATE_{state}"),
        worst_severity=Severity.ValueType(worst),
        counts=SeverityCounts(**counts),
        risk_digest="" if state == "FAILED" else "cd" * 32,
        reasons=[] if state == "SCANNED" else ["The feed npm was never imported."],
    )


FINDING = finding_pb2.Finding(
    vulnerability=vulnerability_pb2.Vulnerability(
        vulnerability_id="CVE-2030-1",
        title="A flaw\x1b[2J",
        links=[vulnerability_pb2.Link(url="https://cve.example.com/CVE-2030-1")],
    ),
    package=finding_pb2.Package(name="left-pad", version="1.0"),
    severity=Severity.SEVERITY_HIGH,
    fixed_versions=["1.1"],
)


def scanner(
    found: risk_pb2.ImageRisk, ended: str = "SUCCEEDED", finding: finding_pb2.Finding = FINDING
) -> tuple[grpc.GenericRpcHandler, ...]:
    """A scanner whose scan of anything ends so, with this risk."""
    scan = scan_pb2.Scan(scan_id="s1", repository=found.repository, digest=DIGEST, created=MOMENT)
    done = scan_pb2.Scan()
    done.CopyFrom(scan)
    done.state = scan_pb2.ScanState.Value(f"SCAN_STATE_{ended}")
    if ended == "FAILED":
        done.failure.message = "The registry does not answer."

    def watch(request: Any, context: Context) -> Iterator[scan_service_pb2.WatchScanResponse]:
        pulling = scan_pb2.ScanProgress(phase=scan_pb2.SCAN_PHASE_PULLING, bytes=1, bytes_total=2)
        yield scan_service_pb2.WatchScanResponse(progress=pulling)
        yield scan_service_pb2.WatchScanResponse(
            progress=scan_pb2.ScanProgress(phase=scan_pb2.SCAN_PHASE_DONE), scan=done
        )

    def export(request: Any, context: Context) -> Iterator[scan_service_pb2.ExportScanResponse]:
        form = inventory_pb2.InventoryFormat.Name(request.format)
        asked = json.dumps({"scan": request.scan_id, "format": form, "platform": request.platform})
        for character in asked:
            yield scan_service_pb2.ExportScanResponse(chunk=character.encode())

    findings = [finding] if found.worst_severity else []
    return (
        offering(
            scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"],
            ScanImage=lambda request, context: scan_service_pb2.ScanImageResponse(scan=scan),
            WatchScan=watch,
            ExportScan=export,
        ),
        offering(
            image_service_pb2.DESCRIPTOR.services_by_name["ImageService"],
            GetImageRisk=lambda request, context: image_service_pb2.GetImageRiskResponse(image_risk=found),
        ),
        offering(
            finding_service_pb2.DESCRIPTOR.services_by_name["FindingService"],
            ListFindings=lambda request, context: finding_service_pb2.ListFindingsResponse(findings=findings),
        ),
    )


@pytest.mark.parametrize(
    ("found", "fail_on", "exit_code"),
    [
        (risk(), [], 0),
        (risk(worst=Severity.SEVERITY_HIGH, high=1), [], 0),
        (risk(worst=Severity.SEVERITY_HIGH, high=1), ["--fail-on", "CRITICAL"], 0),
        (risk(worst=Severity.SEVERITY_HIGH, high=1), ["--fail-on", "high"], 1),
        (risk(worst=Severity.SEVERITY_HIGH, high=1), ["--fail-on", "LOW"], 1),
        (risk(worst=Severity.SEVERITY_UNKNOWN, unknown=1), ["--fail-on", "CRITICAL"], 1),
        (risk(worst=Severity.SEVERITY_LOW, low=1, unknown=1), ["--fail-on", "CRITICAL"], 1),
        (risk("INCOMPLETE"), [], 3),
        (risk("INCOMPLETE"), ["--fail-on", "LOW"], 3),
        (risk("INCOMPLETE", worst=Severity.SEVERITY_HIGH, high=1), ["--fail-on", "HIGH"], 1),
        (risk("FAILED"), ["--fail-on", "HIGH"], 3),
    ],
)
def test_the_answer_of_a_scan(
    found: risk_pb2.ImageRisk, fail_on: list[str], exit_code: int, serve: Serve, hallmark: Hallmark
) -> None:
    done = hallmark("scan", "reg.example.com/shop:1", "--wait", *fail_on, scanner=serve(*scanner(found)))
    assert done.returncode == exit_code, done.stderr
    assert "pulling" in done.stderr


def test_a_scan_that_failed_is_no_answer_though_an_older_one_is_known(serve: Serve, hallmark: Hallmark) -> None:
    done = hallmark("scan", IMAGE, "--wait", scanner=serve(*scanner(risk(), ended="FAILED")))
    assert done.returncode == 3
    assert done.stderr.endswith("hallmark: The scan failed: The registry does not answer. [SCAN_FAILED]\n")


def test_findings_as_a_table_obey_nobody(serve: Serve, hallmark: Hallmark) -> None:
    found = risk(worst=Severity.SEVERITY_HIGH, high=1)
    done = hallmark("scan", IMAGE, "--wait", scanner=serve(*scanner(found)))
    headers, row = done.stdout.splitlines()[-2:]
    assert headers.split()[:3] == ["SEVERITY", "VULNERABILITY", "PACKAGE"]
    assert row.split()[:5] == ["HIGH", "CVE-2030-1", "left-pad", "1.0", "1.1"]
    assert row.endswith("https://cve.example.com/CVE-2030-1")
    assert "A flaw\\x1b[2J" in row
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(("form", "format_"), [("cyclonedx", "CYCLONEDX_1_6"), ("spdx", "SPDX_2_3")])
def test_the_inventory_as_a_document(form: str, format_: str, serve: Serve, hallmark: Hallmark) -> None:
    done = hallmark("scan", IMAGE, "-o", form, "--platform", "linux/arm64", scanner=serve(*scanner(risk())))
    assert done.returncode == 0, done.stderr
    expected = {"scan": "s1", "format": f"INVENTORY_FORMAT_{format_}", "platform": "linux/arm64"}
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize(
    ("found", "ended", "options", "exit_code", "printed"),
    [
        (risk("INCOMPLETE"), "SUCCEEDED", [], 3, True),
        (risk(worst=Severity.SEVERITY_HIGH, high=1), "SUCCEEDED", ["--fail-on", "HIGH"], 1, True),
        (risk(), "FAILED", [], 3, False),
    ],
)
def test_a_document_is_no_good_news_by_itself(
    found: risk_pb2.ImageRisk,
    ended: str,
    options: list[str],
    exit_code: int,
    printed: bool,
    serve: Serve,
    hallmark: Hallmark,
) -> None:
    done = hallmark("scan", IMAGE, "-o", "cyclonedx", *options, scanner=serve(*scanner(found, ended)))
    assert (done.returncode, bool(done.stdout)) == (exit_code, printed), done.stderr


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        (inventory_pb2.PACKAGE_EVIDENCE_METADATA, "left-pad  1.0"),
        (inventory_pb2.PACKAGE_EVIDENCE_CLAIM, "left-pad (claim)  1.0"),
        (inventory_pb2.PACKAGE_EVIDENCE_LOCK_FILE, "left-pad (lock file)  1.0"),
    ],
)
def test_what_is_only_claimed_is_shown_as_such(
    evidence: inventory_pb2.PackageEvidence.ValueType,
    shown: str,
    serve: Serve,
    hallmark: Hallmark,
) -> None:
    finding = finding_pb2.Finding()
    finding.CopyFrom(FINDING)
    finding.package.evidence = evidence
    found = risk(worst=Severity.SEVERITY_HIGH, high=1)
    done = hallmark("scan", IMAGE, "--wait", scanner=serve(*scanner(found, finding=finding)))
    assert shown in done.stdout.splitlines()[-1]


def test_a_scan_as_json(serve: Serve, hallmark: Hallmark) -> None:
    address = serve(*scanner(risk(worst=Severity.SEVERITY_HIGH, high=1)))
    waited = json.loads(hallmark("scan", IMAGE, "--wait", "-o", "json", scanner=address).stdout)
    assert waited["scan"]["state"] == "SUCCEEDED"
    assert waited["image_risk"]["worst_severity"] == "HIGH"
    assert waited["findings"][0]["vulnerability"]["title"] == "A flaw\x1b[2J"
    asked = json.loads(hallmark("scan", IMAGE, "-o", "json", scanner=address).stdout)
    assert asked["scan"]["scan_id"] == "s1"
    assert (asked["image_risk"], asked["findings"]) == (None, None)


@pytest.mark.parametrize(
    ("state", "options", "said"),
    [
        ("SCANNED", [], "No open findings."),
        ("SCANNED", ["--severity", "HIGH"], "No open findings of these severities."),
        ("INCOMPLETE", [], "No findings are known, which says nothing: the image is INCOMPLETE."),
        ("FAILED", ["--severity", "HIGH"], "No findings are known, which says nothing: the image is FAILED."),
    ],
)
def test_no_findings_are_good_news_of_a_scanned_image_alone(
    state: str, options: list[str], said: str, serve: Serve, hallmark: Hallmark
) -> None:
    image = image_pb2.Image(repository="reg.example.com/shop", digest=DIGEST, risk=risk(state))
    images = offering(
        image_service_pb2.DESCRIPTOR.services_by_name["ImageService"],
        GetImage=lambda request, context: image_service_pb2.GetImageResponse(image=image),
    )
    findings = offering(
        finding_service_pb2.DESCRIPTOR.services_by_name["FindingService"],
        ListFindings=lambda request, context: finding_service_pb2.ListFindingsResponse(),
    )
    done = hallmark("images", "show", IMAGE, *options, scanner=serve(images, findings))
    assert (done.returncode, done.stderr) == (0, f"{said}\n")
    assert "\n\n" not in done.stdout


def test_a_document_about_an_image_is_given(serve: Serve, hallmark: Hallmark, tmp_path: Path) -> None:
    seen: list[scan_service_pb2.ImportInventoryRequest] = []
    claim = inventory_pb2.Claim(document=DIGEST, format="CycloneDX 1.5", packages=3, left_out={"It is none.": 2})

    def import_inventory(requests: Any, context: Context) -> scan_service_pb2.ImportInventoryResponse:
        seen.extend(requests)
        return scan_service_pb2.ImportInventoryResponse(claim=claim, digest=DIGEST, added=1)

    file = tmp_path / "sbom.json"
    file.write_bytes(b"{}")
    service = scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"]
    address = serve(offering(service, ImportInventory=import_inventory))
    done = hallmark("images", "import", IMAGE, str(file), "--replace", scanner=address)
    assert done.returncode == 0, done.stderr
    header, part = seen
    assert (header.header.repository, header.header.digest) == ("reg.example.com/shop", DIGEST)
    assert (header.header.replace, part.chunk) == (True, b"{}")
    assert "3, 1 of them known by claims alone" in done.stdout
    assert "2: It is none." in done.stdout


def test_an_image_is_shown_with_what_is_claimed_of_it(serve: Serve, hallmark: Hallmark) -> None:
    image = image_pb2.Image(repository="reg.example.com/shop", digest=DIGEST, risk=risk())
    given = inventory_pb2.Claim(
        document=DIGEST, origin=inventory_pb2.CLAIM_ORIGIN_GIVEN, format="SPDX 2.3", packages=3, left_out={"No.": 2}
    )
    broken = inventory_pb2.Claim(
        document=DIGEST, origin=inventory_pb2.CLAIM_ORIGIN_ATTACHED, problem="It can't be read."
    )
    platform = image_pb2.ImagePlatform(platform="linux/amd64", digest=DIGEST, claims=[given, broken])
    answer = image_service_pb2.GetImageResponse(image=image, platforms=[platform])
    images = offering(
        image_service_pb2.DESCRIPTOR.services_by_name["ImageService"], GetImage=lambda request, context: answer
    )
    findings = offering(
        finding_service_pb2.DESCRIPTOR.services_by_name["FindingService"],
        ListFindings=lambda request, context: finding_service_pb2.ListFindingsResponse(),
    )
    done = hallmark("images", "show", IMAGE, scanner=serve(images, findings))
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("linux/amd64")]
    assert rows[1] == ["linux/amd64", DIGEST, "SPDX", "2.3", "GIVEN", "3", "2"]
    assert rows[2] == ["linux/amd64", DIGEST, "-", "ATTACHED", "0", "It", "can't", "be", "read."]
