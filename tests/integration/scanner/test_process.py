"""The scanner as a process: from a push to a risk over mutual TLS, a kill in the middle, and bad settings."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from socket import socket

import pytest
from aiohttp import web
from chassis.client import RemoteRefusal, call
from chassis.errors import Kind
from google.protobuf.field_mask_pb2 import FieldMask
from hallmark.scanner.v1 import (
    image_service_pb2,
    image_service_pb2_grpc,
    risk_pb2,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
    target_pb2,
    target_service_pb2,
    target_service_pb2_grpc,
)

from tests.factories.images import Image, debian, image, index, layer, wheel
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.fakes.registry import FakeRegistry, hang

MADE = debian(more=[wheel("Jinja2", "3.0.0")])


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as running:
        yield running


@pytest.fixture
async def home(registry: FakeRegistry, tmp_path: Path) -> ScannerHome:
    made = ScannerHome(tmp_path, [registry.host])
    code, said = await made.run("migrate")
    assert code == 0, said
    return made


def push(registry: FakeRegistry, made: Image, tag: str = "v1", repository: str = "team/app") -> None:
    for blob in made.all_blobs().values():
        registry.put_blob(repository, blob)
    for media_type, body in made.manifests().values():
        registry.put_manifest(repository, media_type, body)
    registry.put_manifest(repository, made.media_type, made.body, tag)


def event(made: Image, repository: str = "team/app") -> bytes:
    target = {"mediaType": made.media_type, "digest": made.digest, "repository": repository, "tag": "v1"}
    return json.dumps({"events": [{"id": "1", "action": "push", "target": target}]}).encode()


async def scans(scanner: RunningScanner, role: str = "developer") -> "scan_service_pb2_grpc.ScanServiceAsyncStub":
    return scan_service_pb2_grpc.ScanServiceStub(await scanner.channel(role))


async def targets(scanner: RunningScanner, role: str = "operator") -> "target_service_pb2_grpc.TargetServiceAsyncStub":
    return target_service_pb2_grpc.TargetServiceStub(await scanner.channel(role))


async def make_target(scanner: RunningScanner, registry: FakeRegistry, **fields: object) -> str:
    target = target_pb2.Target(name="all", registry=registry.host, **fields)  # type: ignore[arg-type]
    request = target_service_pb2.CreateTargetRequest(target=target, request_id="t1")
    return str((await call((await targets(scanner)).CreateTarget, request, timeout=30)).token)


async def ended(scanner: RunningScanner, digest: str) -> scan_pb2.Scan:
    """The newest scan of an image, when it has ended; one that is not asked for yet is waited for."""
    stub = await scans(scanner)
    async with asyncio.timeout(60):
        while True:
            listed = await call(stub.ListScans, scan_service_pb2.ListScansRequest(digest=digest), timeout=30)
            if listed.scans:
                break
            await asyncio.sleep(0.05)
    phases = []
    async for answer in stub.WatchScan(scan_service_pb2.WatchScanRequest(scan_id=listed.scans[0].scan_id)):
        phases.append(answer.progress.phase)
    assert phases[-1] == scan_pb2.SCAN_PHASE_DONE
    return answer.scan


async def searched(scanner: RunningScanner) -> None:
    """Wait until the target has looked for what is there already."""
    stub = await targets(scanner)
    async with asyncio.timeout(60):
        while True:
            if not (await call(stub.GetTarget, _get("all"), timeout=30)).progress.searching:
                return
            await asyncio.sleep(0.05)


async def test_from_a_push_to_a_risk(home: ScannerHome, registry: FakeRegistry) -> None:
    async with home.start() as scanner:
        token = await make_target(scanner, registry)
        await searched(scanner)
        push(registry, MADE)
        assert await scanner.post("/events/all", event(MADE), token) == 202
        scan = await ended(scanner, MADE.digest)
        assert (scan.state, scan.trigger, scan.target) == (
            scan_pb2.SCAN_STATE_SUCCEEDED,
            scan_pb2.SCAN_TRIGGER_PUSH,
            "all",
        )
        assert dict(scan.platforms[0].packages) == {"Debian": 1, "PyPI": 1}
        assert (scan.repository, scan.tag) == (f"{registry.host}/team/app", "v1")
        request = image_service_pb2.GetImageRiskRequest(repository=scan.repository, digest=MADE.digest)
        images = image_service_pb2_grpc.ImageServiceStub(await scanner.channel("auditor"))
        risk = (await call(images.GetImageRisk, request, timeout=30)).image_risk
        assert risk.state == risk_pb2.IMAGE_RISK_STATE_INCOMPLETE  # no feed was ever imported
        held = await call((await targets(scanner)).GetTarget, _get("all"), timeout=30)
        assert (held.progress.scanned, held.progress.left, held.progress.failed) == (1, 0, 0)
        assert (await scanner.probe("/readyz"))[0] == 200
        assert 'hallmark_scanner_events_total{outcome="accepted"} 1.0' in (await scanner.probe("/metrics"))[1]
        assert await scanner.post("/events/all", event(MADE), "wrong") == 401


def _get(name: str) -> target_service_pb2.GetTargetRequest:
    return target_service_pb2.GetTargetRequest(name=name)


async def test_images_that_are_there_already(home: ScannerHome, registry: FakeRegistry) -> None:
    whole = index(MADE, image(layer(wheel("a", "1")), platform="linux/arm64"))
    push(registry, whole)
    async with home.start() as scanner:
        await make_target(scanner, registry, platforms=["linux/amd64"])
        scan = await ended(scanner, whole.digest)
        assert scan.trigger == scan_pb2.SCAN_TRIGGER_EXISTING
        assert list(scan.platforms_left_out) == ["linux/arm64"]
        assert scan.risk_state == risk_pb2.IMAGE_RISK_STATE_INCOMPLETE


async def test_orders_of_operators(home: ScannerHome, registry: FakeRegistry) -> None:
    async with home.start() as scanner:
        token = await make_target(scanner, registry, include=["team/**"])
        assert len(token) > 40
        assert await make_target(scanner, registry, include=["team/**"]) == ""
        stub = await targets(scanner)
        changed = target_service_pb2.UpdateTargetRequest(
            target=target_pb2.Target(name="all", enabled=False), update_mask=FieldMask(paths=["enabled"])
        )
        answer = await call(stub.UpdateTarget, changed, timeout=30)
        assert (answer.target.enabled, list(answer.target.include)) == (False, ["team/**"])
        rotated = await call(
            stub.RotateTargetToken, target_service_pb2.RotateTargetTokenRequest(name="all"), timeout=30
        )
        assert await scanner.post("/events/all", event(MADE), token) == 401
        assert await scanner.post("/events/all", event(MADE), rotated.token) == 202
        listed = await call(stub.ListTargets, target_service_pb2.ListTargetsRequest(), timeout=30)
        assert [target.name for target in listed.targets] == ["all"]
        await call(stub.DeleteTarget, target_service_pb2.DeleteTargetRequest(name="all"), timeout=30)
        with pytest.raises(RemoteRefusal) as refusal:
            await call(stub.GetTarget, _get("all"), timeout=30)
        assert (refusal.value.kind, refusal.value.reason) == (Kind.NOT_FOUND, "TARGET_NOT_FOUND")


async def test_roles(home: ScannerHome, registry: FakeRegistry) -> None:
    async with home.start() as scanner:
        scan = scan_service_pb2.ScanImageRequest(image=f"{registry.host}/team/app@{MADE.digest}")
        create = target_service_pb2.CreateTargetRequest(target=target_pb2.Target(name="t", registry=registry.host))
        for method, request in [
            ((await scans(scanner, "auditor")).ScanImage, scan),
            ((await targets(scanner, "developer")).CreateTarget, create),
        ]:
            with pytest.raises(RemoteRefusal) as refusal:
                await call(method, request, timeout=30)  # type: ignore[arg-type]
            assert refusal.value.kind is Kind.PERMISSION_DENIED


async def test_a_killed_scanner_goes_on_with_its_scans(home: ScannerHome, registry: FakeRegistry) -> None:
    push(registry, MADE)
    slow = next(digest for digest, blob in MADE.blobs.items() if blob[:2] == b"\x1f\x8b")
    arrived = asyncio.Event()

    async def arrive_and_hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        return await hang(request)

    registry.faults["GET", f"/v2/team/app/blobs/{slow}"] = arrive_and_hang
    async with home.start() as scanner:
        request = scan_service_pb2.ScanImageRequest(image=f"{registry.host}/team/app:v1")
        asked = (await call((await scans(scanner)).ScanImage, request, timeout=30)).scan
        assert asked.state == scan_pb2.SCAN_STATE_QUEUED
        await arrived.wait()
        scanner.process.kill()
        await scanner.process.wait()
    registry.faults.clear()
    async with home.start() as scanner:
        scan = await ended(scanner, MADE.digest)
        assert (scan.scan_id, scan.state, scan.attempts) == (asked.scan_id, scan_pb2.SCAN_STATE_SUCCEEDED, 2)


async def test_a_drain_is_quick_while_a_registry_hangs(home: ScannerHome, registry: FakeRegistry) -> None:
    push(registry, MADE)
    arrived = asyncio.Event()

    async def arrive_and_hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        return await hang(request)

    registry.faults["GET", f"/v2/team/app/manifests/{MADE.digest}"] = arrive_and_hang
    async with home.start() as scanner:
        request = scan_service_pb2.ScanImageRequest(image=f"{registry.host}/team/app@{MADE.digest}")
        await call((await scans(scanner)).ScanImage, request, timeout=30)
        await arrived.wait()
        scanner.process.terminate()
        assert await asyncio.wait_for(scanner.process.wait(), 20) == 0


async def test_what_it_does_not_start_with(registry: FakeRegistry, tmp_path: Path) -> None:
    home = ScannerHome(tmp_path, [registry.host])
    code, said = await home.run("serve")
    assert (code, "migrate" in said) == (1, True)
    assert (await home.run("migrate"))[0] == 0
    with socket() as taken:
        taken.bind(("127.0.0.1", home.events_port))
        taken.listen()
        code, said = await home.run("serve")
    assert code == 2
    assert str(home.events_port) in said
    settings = home.config.read_text()
    for line, named in [
        ("[scans]\nparallel = 0\n", "scans.parallel"),
        ("[scans]\nparalel = 2\n", "paralel"),
        ("[feeds]\nmax_age_days = -1\n", "max_age_days"),
    ]:
        home.config.write_text(f"{line}{settings}")
        code, said = await home.run("serve")
        assert (code, named in said) == (2, True), said
    home.config.write_text(settings)
    async with home.start():
        code, said = await home.run("serve")
        assert (code, "in use" in said) == (1, True)
