"""The scanner's knowledge over mutual TLS: imports, questions, pages, refusals, streams."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from chassis.audit import AuditLog
from chassis.client import RemoteRefusal, call, open_channel, refusal_of
from chassis.config import Server, Upstream
from chassis.database import Database, Settings, open_database
from chassis.errors import Kind
from chassis.migrations import migrate
from chassis.server import GrpcServer, Offered
from chassis.tables import audit_entries
from chassis.watch import Notifier
from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import (
    advisory_pb2,
    advisory_service_pb2,
    advisory_service_pb2_grpc,
    finding_service_pb2,
    finding_service_pb2_grpc,
    image_service_pb2,
    image_service_pb2_grpc,
    inventory_pb2,
    risk_pb2,
)
from prometheus_client import CollectorRegistry
from scanner.risk_source import RiskSource
from scanner.servicers.advisory_service import AdvisoryService
from scanner.servicers.finding_service import FindingService
from scanner.servicers.image_service import ImageService
from scanner.store.database import DatabaseStore

from tests.factories.advisories import osv_record, zip_of
from tests.factories.certificates import Authority
from tests.factories.knowledge import Knowledge, week
from tests.factories.outcomes import NOW, REPOSITORY, digest_of, inventory, platform, python_package, scan_of
from tests.fakes.clock import FakeClock

NO_STATE: Any = 99
NO_SEVERITY: Any = 0
AUTHORITY = Authority()
IMAGE = digest_of("image")
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@dataclass(frozen=True)
class Running:
    """A scanner that knows and answers."""

    knowledge: Knowledge
    database: Database
    address: str
    folder: Path

    @asynccontextmanager
    async def channel(self, role: str) -> AsyncIterator[grpc.aio.Channel]:
        """Call in a role."""
        issued = AUTHORITY.person(role) if role != "verifier" else AUTHORITY.service(role)
        tls = AUTHORITY.write(issued, self.folder / role)
        async with open_channel(Upstream(address=self.address, role="scanner"), tls) as opened:
            yield opened

    async def ask(self, stub: Any, method: str, request: Any, role: str = "auditor") -> Any:
        """Call a method."""
        async with self.channel(role) as opened:
            return await call(getattr(stub(opened), method), request, timeout=30)

    async def send(self, parts: Iterator[Any], role: str = "operator") -> advisory_pb2.ImportResult:
        """Import advisories."""
        async with self.channel(role) as opened:
            stub = advisory_service_pb2_grpc.AdvisoryServiceStub(opened)
            try:
                return (await stub.ImportAdvisories(parts, timeout=30)).result
            except grpc.aio.AioRpcError as error:
                raise refusal_of(error) from error


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{tmp_path}/scanner.db"))
    await migrate(database, "scanner.store.migrations")
    clock, notifier = FakeClock(NOW), Notifier()
    store = DatabaseStore(database, AuditLog(database, clock), notifier)
    knowledge = Knowledge(store, clock, notifier)
    image_service = ImageService(knowledge.viewer, RiskSource(store, 1), notifier)
    advisory_service = AdvisoryService(knowledge.importer, knowledge.viewer, week)
    finding_service = FindingService(knowledge.viewer)
    offered = [
        Offered(_service(image_service_pb2), image_service_pb2_grpc.add_ImageServiceServicer_to_server, image_service),
        Offered(
            _service(finding_service_pb2),
            finding_service_pb2_grpc.add_FindingServiceServicer_to_server,
            finding_service,
        ),
        Offered(
            _service(advisory_service_pb2),
            advisory_service_pb2_grpc.add_AdvisoryServiceServicer_to_server,
            advisory_service,
        ),
    ]
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", drain=1.0),
        tls=AUTHORITY.write(AUTHORITY.service("scanner"), tmp_path / "server"),
        area="scanner",
        offered=offered,
        metrics=CollectorRegistry(),
    )
    await server.start()
    yield Running(knowledge, database, f"127.0.0.1:{server.port}", tmp_path)
    await server.stop()
    await database.close()


def _service(module: Any) -> Any:
    return next(iter(module.DESCRIPTOR.services_by_name.values()))


def parts_of(body: bytes, **header: Any) -> Iterator[advisory_service_pb2.ImportAdvisoriesRequest]:
    yield advisory_service_pb2.ImportAdvisoriesRequest(header=advisory_pb2.ImportHeader(**header))
    for start in range(0, len(body), 700):
        yield advisory_service_pb2.ImportAdvisoriesRequest(chunk=body[start : start + 700])


IMAGES = image_service_pb2_grpc.ImageServiceStub
FINDINGS = finding_service_pb2_grpc.FindingServiceStub
ADVISORIES = advisory_service_pb2_grpc.AdvisoryServiceStub


async def test_from_import_to_answer(running: Running) -> None:
    body = zip_of(osv_record("GHSA-1", fixed="2.0", aliases=["CVE-1"], cvss=CRITICAL), {"id": "BAD-1"})
    result = await running.send(parts_of(body))
    assert (result.added, result.skipped, result.skipped_records[0].name) == (1, 1, "BAD-1.json")
    assert list(result.ecosystems) == ["PyPI"]
    await running.knowledge.scan(scan_of(platform(inventory(python_package())), tag="v1"))
    asked = image_service_pb2.GetImageRiskRequest(repository=REPOSITORY, digest=IMAGE)
    risk = await running.ask(IMAGES, "GetImageRisk", asked)
    assert risk.image_risk.state == risk_pb2.IMAGE_RISK_STATE_SCANNED
    assert risk.image_risk.worst_fixable_severity == severity_pb2.SEVERITY_CRITICAL
    assert risk.feed_set.as_of.ToJsonString() == "2026-07-01T00:00:00Z"
    request = finding_service_pb2.ListFindingsRequest(repository=REPOSITORY, digest=IMAGE)
    (finding,) = (await running.ask(FINDINGS, "ListFindings", request)).findings
    assert finding.vulnerability.vulnerability_id == "CVE-1"
    assert finding.vulnerability.links[0].url == "https://www.cve.org/CVERecord?id=CVE-1"
    assert (list(finding.fixed_versions), finding.package.purl) == (["2.0"], "pkg:pypi/demo@1.0")
    assert finding.package.evidence == inventory_pb2.PACKAGE_EVIDENCE_METADATA
    named = finding_service_pb2.GetVulnerabilityRequest(vulnerability_id="GHSA-1")
    assert (await running.ask(FINDINGS, "GetVulnerability", named)).vulnerability.images == 1
    (feed,) = (await running.ask(ADVISORIES, "ListFeeds", advisory_service_pb2.ListFeedsRequest())).feeds
    assert (feed.ecosystem, feed.advisories, feed.max_age.seconds) == ("PyPI", 1, 7 * 86_400)
    image = await running.ask(
        IMAGES, "GetImage", image_service_pb2.GetImageRequest(repository=REPOSITORY, digest=IMAGE)
    )
    assert list(image.image.tags) == ["v1"]
    assert [change.cause for change in image.risk_changes] == [risk_pb2.RISK_CAUSE_SCAN]


async def test_an_import_is_audited(running: Running) -> None:
    await running.send(parts_of(zip_of(osv_record()), ecosystems=["PyPI"]))
    async with running.database.read() as session:
        (entry,) = (await session.execute(audit_entries.select())).mappings()
    assert (entry["caller"], entry["action"], entry["subject"]) == (
        "spiffe://test.example/operator/pat",
        "advisories.import",
        "PyPI",
    )
    assert entry["details"]["as_of_stated"] == "false"


async def test_only_an_operator_imports_and_only_services_watch(running: Running) -> None:
    with pytest.raises(RemoteRefusal) as refusal:
        await running.send(parts_of(zip_of(osv_record())), "developer")
    assert refusal.value.kind is Kind.PERMISSION_DENIED
    async with running.channel("auditor") as opened:
        answers = IMAGES(opened).WatchImageRisk(image_service_pb2.WatchImageRiskRequest(), timeout=30)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await anext(aiter(answers))
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_service_watches(running: Running) -> None:
    await running.knowledge.scan(scan_of(platform(inventory(python_package()))))
    async with running.channel("verifier") as opened, asyncio.timeout(30):
        answers = IMAGES(opened).WatchImageRisk(image_service_pb2.WatchImageRiskRequest())
        records = []
        async for answer in answers:
            records += [record.WhichOneof("record") for record in answer.records]
            if answer.head.resume_token:
                break
        answers.cancel()
    assert records == ["feed_set", "image_risk"]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "INVALID_ARGUMENT"),
        ([{"chunk": b"PK"}], "INVALID_ARGUMENT"),
        ([{"header": {}}, {"header": {}}], "INVALID_ARGUMENT"),
        ([{"header": {}}, {}], "INVALID_ARGUMENT"),
        ([{"header": {"ecosystems": ["npm", "npm"]}}], "INVALID_ARGUMENT"),
        ([{"header": {"ecosystems": ["Debian:12"]}}], "INVALID_ARGUMENT"),
        ([{"header": {"as_of": {"seconds": 10**12}}}], "INVALID_ARGUMENT"),
        ([{"header": {"ecosystems": ["npm"]}}], "ARCHIVE_BROKEN"),
        ([{"header": {}}, {"chunk": b"no zip"}], "ARCHIVE_BROKEN"),
    ],
)
async def test_an_import_that_is_none_is_refused(running: Running, parts: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(RemoteRefusal) as refusal:
        await running.send(advisory_service_pb2.ImportAdvisoriesRequest(**part) for part in parts)
    assert refusal.value.reason == reason
    assert not (await running.ask(ADVISORIES, "ListFeeds", advisory_service_pb2.ListFeedsRequest())).feeds


UNKNOWN = image_service_pb2.GetImageRequest(repository=REPOSITORY, digest=IMAGE)


@pytest.mark.parametrize(
    ("stub", "method", "request_", "reason"),
    [
        (IMAGES, "GetImage", UNKNOWN, "IMAGE_NOT_FOUND"),
        (IMAGES, "GetImage", image_service_pb2.GetImageRequest(repository="x", digest=IMAGE), "INVALID_ARGUMENT"),
        (
            IMAGES,
            "GetImageRisk",
            image_service_pb2.GetImageRiskRequest(repository=REPOSITORY, digest="sha512:00"),
            "INVALID_ARGUMENT",
        ),
        (
            IMAGES,
            "GetImageRisk",
            image_service_pb2.GetImageRiskRequest(repository=f"{REPOSITORY}:v1", digest=IMAGE),
            "INVALID_ARGUMENT",
        ),
        (IMAGES, "BatchGetImageRisk", image_service_pb2.BatchGetImageRiskRequest(), "INVALID_ARGUMENT"),
        (IMAGES, "ListImages", image_service_pb2.ListImagesRequest(states=[NO_STATE]), "INVALID_ARGUMENT"),
        (IMAGES, "ListImages", image_service_pb2.ListImagesRequest(worst_severities=[NO_SEVERITY]), "INVALID_ARGUMENT"),
        (IMAGES, "ListImages", image_service_pb2.ListImagesRequest(page_token="???"), "INVALID_PAGE_TOKEN"),
        (
            FINDINGS,
            "ListFindings",
            finding_service_pb2.ListFindingsRequest(repository=REPOSITORY, digest=IMAGE),
            "IMAGE_NOT_FOUND",
        ),
        (FINDINGS, "ListFindings", finding_service_pb2.ListFindingsRequest(digest=IMAGE), "INVALID_ARGUMENT"),
        (
            FINDINGS,
            "GetVulnerability",
            finding_service_pb2.GetVulnerabilityRequest(vulnerability_id="CVE-1"),
            "VULNERABILITY_NOT_FOUND",
        ),
        (FINDINGS, "GetVulnerability", finding_service_pb2.GetVulnerabilityRequest(), "INVALID_ARGUMENT"),
    ],
)
async def test_questions_that_can_not_be_answered(
    running: Running, stub: Any, method: str, request_: Any, reason: str
) -> None:
    with pytest.raises(RemoteRefusal) as refusal:
        await running.ask(stub, method, request_)
    assert refusal.value.reason == reason


async def test_an_image_never_asked_for_is_not_scanned(running: Running) -> None:
    wanted = [image_service_pb2.GetImageRiskRequest(repository=REPOSITORY, digest=digest_of(name)) for name in "ab"]
    batch = image_service_pb2.BatchGetImageRiskRequest(requests=wanted)
    answer = await running.ask(IMAGES, "BatchGetImageRisk", batch)
    assert [(risk.digest, risk.state) for risk in answer.image_risks] == [
        (digest_of(name), risk_pb2.IMAGE_RISK_STATE_NOT_SCANNED) for name in "ab"
    ]


async def test_pages_stay_below_the_largest_message(running: Running) -> None:
    long = [osv_record(f"A-{number:03}") | {"details": "x" * 60_000} for number in range(100)]
    await running.send(parts_of(zip_of(*long)))
    await running.knowledge.scan(scan_of(platform(inventory(python_package()))))
    seen, token = [], ""
    for _ in range(5):
        request = finding_service_pb2.ListFindingsRequest(
            repository=REPOSITORY, digest=IMAGE, page_size=1000, page_token=token
        )
        page = await running.ask(FINDINGS, "ListFindings", request)
        seen += [finding.vulnerability.vulnerability_id for finding in page.findings]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"A-{number:03}" for number in range(100)]
