"""A scanner killed while it stores: what it was at is begun again, and nothing of it is in force by half."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chassis.client import call
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.scanner.v1 import (
    advisory_pb2,
    advisory_service_pb2,
    advisory_service_pb2_grpc,
    image_service_pb2,
    image_service_pb2_grpc,
    risk_pb2,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
)

from tests.factories.advisories import osv_record, zip_of
from tests.factories.images import image, layer, wheel
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.fakes.registry import FakeRegistry

NAMES = [f"p{number}" for number in range(3)]
IMAGE = image(layer(*(wheel(name, "1") for name in NAMES)))
BEFORE = zip_of(osv_record("OLD-1", package="p0"))
AFTER = zip_of(
    osv_record("OLD-1", package="p0", modified="2026-07-02T00:00:00Z", fixed="1"),
    *(osv_record(f"NEW-{name}", package=name) for name in NAMES),
)
IN_AN_IMPORT = {
    "before matching again": "scanner.learning:find_again",
    "with findings changed": "scanner.learning:reassess",
    "with risks changed": "scanner.learning:refresh_feed_sets",
    "before it is recorded": "scanner.imports:_details",
}
IN_A_SCAN = {
    "with everything read": "scanner.runner:record_scan",
    "with packages stored": "scanner.images:find_again",
    "with risks changed": "scanner.runner:Summary",
}

Standing = tuple["risk_pb2.ImageRiskState.ValueType", int, int]
Work = Callable[[RunningScanner], Awaitable[object]]


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as running:
        for blob in IMAGE.all_blobs().values():
            running.put_blob("app", blob)
        running.put_manifest("app", IMAGE.media_type, IMAGE.body)
        yield running


@pytest.fixture
async def home(registry: FakeRegistry, tmp_path: Path) -> ScannerHome:
    made = ScannerHome(tmp_path, [registry.host])
    assert (await made.run("migrate"))[0] == 0
    return made


async def imported(scanner: RunningScanner, body: bytes) -> advisory_pb2.ImportResult:
    async def parts() -> AsyncIterator[advisory_service_pb2.ImportAdvisoriesRequest]:
        as_of = Timestamp()
        as_of.FromDatetime(datetime.now(UTC))
        header = advisory_pb2.ImportHeader(ecosystems=["PyPI"], as_of=as_of)
        yield advisory_service_pb2.ImportAdvisoriesRequest(header=header)
        yield advisory_service_pb2.ImportAdvisoriesRequest(chunk=body)

    stub = advisory_service_pb2_grpc.AdvisoryServiceStub(await scanner.channel("operator"))
    return (await stub.ImportAdvisories(parts(), timeout=100)).result


async def scanned(scanner: RunningScanner, registry: FakeRegistry) -> scan_pb2.Scan:
    stub = scan_service_pb2_grpc.ScanServiceStub(await scanner.channel("developer"))
    asked = scan_service_pb2.ScanImageRequest(image=f"{registry.host}/app@{IMAGE.digest}")
    scan = (await call(stub.ScanImage, asked, timeout=30)).scan
    async for answer in stub.WatchScan(scan_service_pb2.WatchScanRequest(scan_id=scan.scan_id)):
        scan = answer.scan
    return scan


async def standing(scanner: RunningScanner, registry: FakeRegistry) -> Standing:
    """The image's state, how many findings count, and how many advisories are held."""
    auditor = await scanner.channel("auditor")
    asked = image_service_pb2.GetImageRiskRequest(repository=f"{registry.host}/app", digest=IMAGE.digest)
    risk = (await call(image_service_pb2_grpc.ImageServiceStub(auditor).GetImageRisk, asked, timeout=30)).image_risk
    advisories = advisory_service_pb2_grpc.AdvisoryServiceStub(auditor)
    feeds = (await call(advisories.ListFeeds, advisory_service_pb2.ListFeedsRequest(), timeout=30)).feeds
    return risk.state, risk.counts.unknown, sum(feed.advisories for feed in feeds)


async def killed(home: ScannerHome, moment: str, work: Work) -> None:
    """Let a scanner work until it is gone."""
    async with home.start(dies_in=moment) as scanner:
        at_work = asyncio.ensure_future(work(scanner))
        assert await asyncio.wait_for(scanner.process.wait(), 60) == -signal.SIGKILL
        await asyncio.gather(at_work, return_exceptions=True)


@pytest.mark.parametrize("moment", IN_AN_IMPORT.values(), ids=IN_AN_IMPORT)
async def test_an_import_holds_as_a_whole_or_not_at_all(home: ScannerHome, registry: FakeRegistry, moment: str) -> None:
    async with home.start() as scanner:
        await imported(scanner, BEFORE)
        assert (await scanned(scanner, registry)).state == scan_pb2.SCAN_STATE_SUCCEEDED
        before = await standing(scanner, registry)
    assert before == (risk_pb2.IMAGE_RISK_STATE_SCANNED, 1, 1)
    await killed(home, moment, lambda scanner: imported(scanner, AFTER))
    async with home.start() as scanner:
        assert await standing(scanner, registry) == before
        assert (await imported(scanner, AFTER)).findings_opened == len(NAMES)
        assert await standing(scanner, registry) == (
            risk_pb2.IMAGE_RISK_STATE_SCANNED,
            len(NAMES),
            len(NAMES) + 1,
        )


@pytest.mark.parametrize("moment", IN_A_SCAN.values(), ids=IN_A_SCAN)
async def test_a_scan_goes_on_at_the_next_start(home: ScannerHome, registry: FakeRegistry, moment: str) -> None:
    async with home.start() as scanner:
        await imported(scanner, AFTER)
    await killed(home, moment, lambda scanner: scanned(scanner, registry))
    async with home.start() as scanner:
        scan = await scanned(scanner, registry)
        assert (scan.state, scan.attempts) == (scan_pb2.SCAN_STATE_SUCCEEDED, 2)
        assert await standing(scanner, registry) == (
            risk_pb2.IMAGE_RISK_STATE_SCANNED,
            len(NAMES),
            len(NAMES) + 1,
        )
