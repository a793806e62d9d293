"""Real Debian installations before real advisories, through the scanner's process from upload to findings."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chassis.client import call
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.scanner.v1 import (
    advisory_pb2,
    advisory_service_pb2,
    advisory_service_pb2_grpc,
    finding_pb2,
    finding_service_pb2,
    finding_service_pb2_grpc,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
)

from tests.factories.images import Image, file, image, layer, wheel
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.factories.shared_data import SHARED, needs_shared_data
from tests.fakes.registry import FakeRegistry

pytestmark = [needs_shared_data, pytest.mark.timeout(300)]

INSTALLATIONS = ("bullseye-main", "bookworm-main")
FEEDS = {"Debian": 8290, "PyPI": 7080}
CHUNK = 2**19


def installation(name: str) -> Image:
    folder = SHARED / "images" / name
    return image(
        layer(
            file("var/lib/dpkg/status", (folder / "status").read_bytes()),
            file("etc/os-release", (folder / "os-release").read_bytes()),
        ),
        layer(wheel("Jinja2", "3.0.0")),
    )


def expected(name: str, what: str) -> list[dict[str, Any]]:
    return list(json.loads((SHARED / "images" / name / f"expected-{what}.json").read_text()))


async def imported(scanner: RunningScanner, ecosystem: str) -> advisory_pb2.ImportResult:
    body = (SHARED / "osv" / ecosystem / "all.zip").read_bytes()

    async def parts() -> AsyncIterator[advisory_service_pb2.ImportAdvisoriesRequest]:
        as_of = Timestamp()
        as_of.FromDatetime(datetime.now(UTC))
        yield advisory_service_pb2.ImportAdvisoriesRequest(header=advisory_pb2.ImportHeader(as_of=as_of))
        for start in range(0, len(body), CHUNK):
            yield advisory_service_pb2.ImportAdvisoriesRequest(chunk=body[start : start + CHUNK])

    stub = advisory_service_pb2_grpc.AdvisoryServiceStub(await scanner.channel("operator"))
    return (await stub.ImportAdvisories(parts(), timeout=200)).result


async def scanned(scanner: RunningScanner, reference: str) -> scan_pb2.Scan:
    stub = scan_service_pb2_grpc.ScanServiceStub(await scanner.channel("developer"))
    asked = await call(stub.ScanImage, scan_service_pb2.ScanImageRequest(image=reference), timeout=30)
    async for answer in stub.WatchScan(scan_service_pb2.WatchScanRequest(scan_id=asked.scan.scan_id)):
        scan = answer.scan
    return scan


async def findings(scanner: RunningScanner, repository: str, digest: str) -> list[finding_pb2.Finding]:
    stub = finding_service_pb2_grpc.FindingServiceStub(await scanner.channel("auditor"))
    found: list[finding_pb2.Finding] = []
    token = ""
    while True:
        asked = finding_service_pb2.ListFindingsRequest(
            repository=repository, digest=digest, page_size=40, page_token=token
        )
        page = await call(stub.ListFindings, asked, timeout=30)
        found += page.findings
        token = page.next_page_token
        if not token:
            return found


async def test_real_installations(tmp_path: Path) -> None:
    async with FakeRegistry() as registry:
        home = ScannerHome(tmp_path, [registry.host])
        assert (await home.run("migrate"))[0] == 0
        async with home.start() as scanner:
            digests = {}
            for name, made in {name: installation(name) for name in INSTALLATIONS}.items():
                for blob in made.all_blobs().values():
                    registry.put_blob(name, blob)
                digests[name] = registry.put_manifest(name, made.media_type, made.body)
                scan = await scanned(scanner, f"{registry.host}/{name}@{digests[name]}")
                assert scan.state == scan_pb2.SCAN_STATE_SUCCEEDED
                assert dict(scan.platforms[0].packages) == {"Debian": len(expected(name, "packages")), "PyPI": 1}
            for ecosystem, records in FEEDS.items():
                result = await imported(scanner, ecosystem)
                assert (list(result.ecosystems), result.added, result.skipped) == ([ecosystem], records, 0)
            for name in INSTALLATIONS:
                found = await findings(scanner, f"{registry.host}/{name}", digests[name])
                assert {one.path for one in found if one.package.ecosystem == "PyPI"} == {
                    "usr/lib/python3/dist-packages/Jinja2-3.0.0.dist-info/METADATA"
                }
                of_debian = [one for one in found if one.package.ecosystem != "PyPI"]
                assert {
                    (advisory, one.package.name, one.package.version, one.package.source_version, cve)
                    for one in of_debian
                    for advisory in one.advisory_ids
                    for cve in [one.vulnerability.vulnerability_id]
                } == {
                    (one["advisory"], one["package"], one["installed"], one["source_version"], cve)
                    for one in expected(name, "findings")
                    for cve in one["cves"] or [one["advisory"]]
                }
                assert all(one.fix_state == finding_pb2.FIX_STATE_FIXED_IN for one in of_debian)
