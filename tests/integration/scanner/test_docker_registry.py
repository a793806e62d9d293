"""The scanner behind Debian's docker-registry: what is pushed there is scanned, and what belongs to images is not."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.client import call
from hallmark.scanner.v1 import (
    inventory_pb2,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
    target_pb2,
    target_service_pb2,
    target_service_pb2_grpc,
)
from registry.client import RegistryClient
from registry.settings import RegistrySettings

from tests.factories.documents import cyclonedx
from tests.factories.images import Image, attestation, debian, dpkg_record, image, index, layer, node_module, wheel
from tests.factories.ports import free_port
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.fixtures.registries import running_registry
from tests.tools.debian import ToolMissing, docker_registry

_NOTIFICATIONS = """\
notifications:
  endpoints:
    - name: hallmark
      url: "https://127.0.0.1:{port}/events/all"
      headers: {{Authorization: ["Bearer {token}"]}}
      timeout: 2s
      threshold: 3
      backoff: 100ms
"""


class Suite:
    """A scanner and the registry that tells it of pushes."""

    def __init__(self, scanner: RunningScanner, host: str) -> None:
        self.scanner = scanner
        self.host = host

    async def push(self, made: Image, tag: str, repository: str = "team/app") -> None:
        """Push an image as a build tool does."""
        client = RegistryClient([RegistrySettings(host=self.host, plain_http=True)])
        try:
            for blob in made.all_blobs().values():
                await client.push_blob(self.host, repository, blob)
            for child in made.children:
                await client.put_manifest(self.host, repository, child.digest, child.media_type, child.body)
            await client.put_manifest(self.host, repository, tag, made.media_type, made.body)
        finally:
            await client.close()

    async def scans(self) -> dict[str, scan_pb2.Scan]:
        """The scans by digest."""
        stub = scan_service_pb2_grpc.ScanServiceStub(await self.scanner.channel("auditor"))
        answer = await call(stub.ListScans, scan_service_pb2.ListScansRequest(), timeout=30)
        return {scan.digest: scan for scan in answer.scans}

    async def succeeded(self, *digests: str) -> dict[str, scan_pb2.Scan]:
        """The scans, once those of these digests have succeeded."""
        async with asyncio.timeout(60):
            while True:
                scans = await self.scans()
                if all(digest in scans and scans[digest].HasField("ended") for digest in digests):
                    return scans
                await asyncio.sleep(0.1)


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suite]:
    try:
        program = docker_registry()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    port = free_port()
    host = f"127.0.0.1:{port}"
    home = ScannerHome(tmp_path, [host])
    assert (await home.run("migrate"))[0] == 0
    async with home.start() as scanner:
        stub = target_service_pb2_grpc.TargetServiceStub(await scanner.channel("operator"))
        target = target_pb2.Target(name="all", registry=host, include=["team/**"])
        created = await call(stub.CreateTarget, target_service_pb2.CreateTargetRequest(target=target), timeout=30)
        more = _NOTIFICATIONS.format(port=home.events_port, token=created.token)
        trust = {"SSL_CERT_FILE": str(home.listener.ca)}
        with running_registry(program, tmp_path, port, more, trust) as running:
            yield Suite(scanner, running)


async def test_what_is_pushed_is_scanned(suite: Suite) -> None:
    first = debian(dpkg_record("bash", "5.2.15-2+b2"))
    packed = image(layer(wheel("a", "1"), compression="zstd"), layer(node_module("b", "1"), compression=""))
    whole = index(packed, image(layer(wheel("c", "1")), platform="linux/arm64"), attestation(packed))
    await suite.push(first, "v1")
    await suite.push(whole, "v2")
    await suite.push(debian(dpkg_record("zlib1g", "1")), "v1", "elsewhere/app")
    companion = image(layer(wheel("d", "1")))
    await suite.push(companion, f"sha256-{first.digest[7:]}.sig")
    last = image(layer(wheel("last", "1")))
    await suite.push(last, "last")
    scans = await suite.succeeded(first.digest, whole.digest, last.digest)
    assert set(scans) == {first.digest, last.digest, whole.digest}
    assert {scan.state for scan in scans.values()} == {scan_pb2.SCAN_STATE_SUCCEEDED}
    counted = (await suite.scanner.probe("/metrics"))[1].splitlines()
    assert 'hallmark_scanner_events_total{outcome="companion"} 1.0' in counted
    assert 'hallmark_scanner_events_total{outcome="unmatched"} 1.0' in counted
    assert scans[whole.digest].tag == "v2"
    assert [one.platform for one in scans[whole.digest].platforms] == ["linux/amd64", "linux/arm64"]


async def test_an_inventory_goes_out_and_documents_come_in(suite: Suite) -> None:
    made = debian(dpkg_record("bash", "5.2.15-2+b2"))
    await suite.push(made, "v1")
    scan = (await suite.succeeded(made.digest))[made.digest]
    operator = scan_service_pb2_grpc.ScanServiceStub(await suite.scanner.channel("operator"))
    header = inventory_pb2.InventoryHeader(repository=scan.repository, digest=scan.digest)
    request = scan_service_pb2.ImportInventoryRequest
    parts = [request(header=header), request(chunk=cyclonedx("pkg:npm/claimed@1.0"))]
    answer = await operator.ImportInventory(iter(parts), timeout=30)
    assert (answer.added, answer.digest) == (1, made.digest)
    auditor = scan_service_pb2_grpc.ScanServiceStub(await suite.scanner.channel("auditor"))
    for form in (inventory_pb2.INVENTORY_FORMAT_CYCLONEDX_1_6, inventory_pb2.INVENTORY_FORMAT_SPDX_2_3):
        asked = scan_service_pb2.ExportScanRequest(scan_id=scan.scan_id, format=form)
        document = json.loads(b"".join([part.chunk async for part in auditor.ExportScan(asked, timeout=30)]))
        names = {one["name"] for one in document.get("components", document.get("packages"))}
        assert {"bash", "claimed", "debian"} <= names
