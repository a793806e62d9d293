"""Documents in and out as callers send and get them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chassis.errors import InvalidArgument
from chassis.identity import CALLER
from hallmark.scanner.v1 import inventory_pb2
from hallmark.scanner.v1 import scan_service_pb2 as pb
from scanner.claiming import InventoryImporter
from scanner.exports import Exporter
from scanner.servicers.scan_service import ScanService
from scanner.viewing import Viewer
from scanner.wire import images

from tests.factories.documents import cyclonedx
from tests.factories.images import debian
from tests.factories.scanning import OPERATOR, Scanning, week

HEADER = inventory_pb2.InventoryHeader
PART = pb.ImportInventoryRequest
DIGEST = "sha256:" + "a" * 64
CONTEXT: Any = None


@pytest.fixture
def service(bench: Scanning) -> ScanService:
    CALLER.set(OPERATOR)
    importer = InventoryImporter(bench.store, bench.workers, bench.clock, week)
    return ScanService(bench.desk, bench.uploads, Exporter(bench.store, bench.desk, bench.workers), importer)


async def sent(*parts: pb.ImportInventoryRequest) -> AsyncIterator[pb.ImportInventoryRequest]:
    for part in parts:
        yield part


async def test_a_document_in_and_the_inventory_out(bench: Scanning, service: ScanService) -> None:
    scan = await bench.scan(debian())
    CALLER.set(OPERATOR)
    body = cyclonedx("pkg:npm/evil@1.0", "pkg:oci/app@1")
    header = HEADER(repository=bench.repository(), digest=scan.request.digest)
    parts = [PART(header=header), PART(chunk=body[:10]), PART(chunk=body[10:])]
    answer = await service.ImportInventory(sent(*parts), CONTEXT)
    assert (answer.digest, answer.added, answer.claim.packages) == (scan.request.digest, 1, 1)
    assert answer.claim.origin == inventory_pb2.CLAIM_ORIGIN_GIVEN
    assert list(answer.claim.left_out.values()) == [1]

    request = pb.ExportScanRequest(scan_id=scan.scan_id, format=inventory_pb2.INVENTORY_FORMAT_CYCLONEDX_1_6)
    chunks = [one.chunk async for one in service.ExportScan(request, CONTEXT)]
    (evil,) = [one for one in json.loads(b"".join(chunks))["components"] if one["name"] == "evil"]
    assert "evidence" not in evil, "nobody saw it anywhere"
    known = {one["name"]: one["value"] for one in evil["properties"]}
    assert (known["hallmark:evidence"], known["hallmark:path"]) == ("CLAIM", answer.claim.document)

    view = await Viewer(bench.store, bench.clock, week).image(OPERATOR, bench.repository(), scan.request.digest)
    assert list(images.platform(view.platforms[0]).claims) == [answer.claim]


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "header"),
        ([PART(chunk=b"{}")], "header"),
        ([PART(header=HEADER(repository="shop", digest=DIGEST))], "header.repository"),
        ([PART(header=HEADER(repository="reg.example.com/shop", digest="abc"))], "header.digest"),
    ],
)
async def test_a_bad_import_names_its_field(
    service: ScanService, parts: list[pb.ImportInventoryRequest], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await service.ImportInventory(sent(*parts), CONTEXT)
    assert refused.value.field == field


async def test_after_the_header_come_chunks_alone(bench: Scanning, service: ScanService) -> None:
    scan = await bench.scan(debian())
    header = PART(header=HEADER(repository=bench.repository(), digest=scan.request.digest))
    with pytest.raises(InvalidArgument, match="chunks"):
        await service.ImportInventory(sent(header, header), CONTEXT)


async def test_a_format_must_be_named(service: ScanService) -> None:
    with pytest.raises(InvalidArgument):
        await anext(service.ExportScan(pb.ExportScanRequest(scan_id="x"), CONTEXT))
