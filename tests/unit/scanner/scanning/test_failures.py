"""Registries in trouble, hostile ones, and scanners that end in the middle."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from chassis.database import StorageFull
from registry.references import parse_reference
from scanner.failures import LayerMalformed
from scanner.layers.limits import Limits
from scanner.risk.model import RiskState
from scanner.runner import Bounds
from scanner.scan_records import Scan, ScanState

from tests.factories.full_disk import room_for
from tests.factories.images import Image, debian, dpkg_record, dpkg_status, file, image, layer, symlink, wheel
from tests.factories.scanning import DEVELOPER, Scanning, scanning
from tests.fakes.registry import Fault, hang, status


def sample(version: str = "1") -> Image:
    return image(layer(wheel("demo", version)))


def layer_of(made: Image) -> str:
    """The path of an image's layer."""
    digest = next(digest for digest, blob in made.blobs.items() if b"rootfs" not in blob)
    return f"/v2/app/blobs/{digest}"


async def scan_with(bench: Scanning, fault: Fault, made: Image) -> Scan:
    bench.registry.faults["GET", layer_of(made)] = fault
    return await bench.scan(made)


def serving(body: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    return answer


def breaking_off(body: bytes) -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body) + 100)})
        await response.prepare(request)
        await response.write(body)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(404), "IMAGE_DELETED"),
        (status(401, WWW_Authenticate='Basic realm="x"'), "REGISTRY_UNAUTHORIZED"),
        (status(403), "REGISTRY_UNAUTHORIZED"),
        (status(307, Location="http://elsewhere.example/blob"), "REGISTRY_NOT_ALLOWED"),
        (serving(b"something else"), "DIGEST_MISMATCH"),
    ],
    ids=["deleted", "unauthorized", "forbidden", "redirected", "altered"],
)
async def test_what_trying_again_does_not_help(bench: Scanning, fault: Fault, reason: str) -> None:
    made = sample()
    scan = await scan_with(bench, fault, made)
    assert (scan.state, scan.attempts) == (ScanState.FAILED, 1)
    assert scan.failure is not None
    assert scan.failure.reason == reason
    assert (await bench.risk(made.digest)).state is RiskState.FAILED
    assert bench.count("hallmark_scanner_scan_failures_total", reason=reason) == 1


async def test_a_layer_cut_off_on_its_way_is_no_layer(bench: Scanning) -> None:
    made = sample()
    whole = made.blobs[layer_of(made).rpartition("/")[2]]
    scan = await scan_with(bench, serving(whole[:-20]), made)
    assert scan.failure is not None
    assert scan.failure.reason == "DIGEST_MISMATCH"


async def test_a_layer_longer_than_the_manifest_says_is_refused(bench: Scanning) -> None:
    made = sample()
    scan = await scan_with(bench, serving(made.blobs[layer_of(made).rpartition("/")[2]] + bytes(5000)), made)
    assert scan.failure is not None
    assert scan.failure.reason == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("fault", [status(500), status(429), breaking_off(b"\x1f\x8b")], ids=["500", "429", "breaks"])
async def test_trouble_is_tried_again_later_a_few_times(bench: Scanning, fault: Fault) -> None:
    made = sample()
    scan = await scan_with(bench, fault, made)
    assert (scan.state, scan.attempts) == (ScanState.QUEUED, 1)
    assert (await bench.risk(made.digest)).state is RiskState.SCANNING
    assert not await bench.runner.run_next()
    for attempt, pause in enumerate((5, 10), start=2):
        bench.clock.advance(pause)
        assert await bench.runner.run_next()
        scan = await bench.get(scan.scan_id)
        assert scan.attempts == attempt
    assert scan.state is ScanState.FAILED
    assert scan.failure is not None
    assert scan.failure.reason == "REGISTRY_UNAVAILABLE"


async def test_a_person_need_not_wait_for_the_next_attempt(bench: Scanning) -> None:
    made = sample()
    scan = await scan_with(bench, status(500), made)
    bench.registry.faults.clear()
    assert not await bench.runner.run_next()
    assert (await bench.ask(made.digest)).scan_id == scan.scan_id
    assert await bench.runner.run_next()
    assert (await bench.get(scan.scan_id)).state is ScanState.SUCCEEDED


async def test_trouble_that_passes_leaves_no_trace(bench: Scanning) -> None:
    made = sample()
    scan = await scan_with(bench, status(502), made)
    bench.registry.faults.clear()
    bench.clock.advance(5)
    await bench.do_all()
    scan = await bench.get(scan.scan_id)
    assert (scan.state, scan.attempts, scan.failure) == (ScanState.SUCCEEDED, 2, None)
    assert (await bench.risk(made.digest)).state is RiskState.SCANNED


async def test_a_scan_that_fails_changes_nothing_of_an_image_with_an_inventory(bench: Scanning) -> None:
    made = sample()
    first = await bench.scan(made)
    bench.registry.faults["GET", layer_of(made)] = status(404)
    second = await bench.scan(made, force=True)
    assert second.state is ScanState.FAILED
    risk = await bench.risk(made.digest)
    assert (risk.state, risk.scan_id) == (RiskState.SCANNED, first.scan_id)


async def test_a_registry_that_hangs_is_waited_for_so_long(tmp_path: Path) -> None:
    async with scanning(tmp_path, Bounds(seconds=0.2), Limits()) as bench:
        scan = await scan_with(bench, hang, sample())
        assert scan.failure is not None
        assert "the bound `time`" in scan.failure.message


async def test_a_bomb_fails_naming_its_bound(tmp_path: Path) -> None:
    async with scanning(tmp_path, Bounds(), Limits(uncompressed=1000)) as bench:
        scan = await bench.scan(sample())
        assert scan.failure is not None
        assert scan.failure.reason == "LIMIT_EXCEEDED"
        assert "the bound `uncompressed`" in scan.failure.message


async def test_the_layers_of_an_image_are_bounded_together(tmp_path: Path) -> None:
    async with scanning(tmp_path, Bounds(), Limits(image=50_000)) as bench:
        each = [layer(dpkg_status(dpkg_record("a", str(number)) + "Description: " + "x" * 20_000)) for number in (1, 2)]
        assert (await bench.scan(image(*each[:1]))).state is ScanState.SUCCEEDED
        scan = await bench.scan(image(*each, *each[:1], layer(dpkg_status(f"{'y' * 20_000}"))))
        assert scan.failure is not None
        assert (scan.failure.reason, "the bound `image`" in scan.failure.message) == ("LIMIT_EXCEEDED", True)


async def test_a_failure_names_even_what_is_no_text(bench: Scanning) -> None:
    scan = await bench.scan(image(layer(symlink("caf\udce9", "caf\udce9"), file("caf\udce9/package.json"))))
    assert scan.failure is not None
    assert (scan.failure.reason, "/caf\\xe9/package.json" in scan.failure.message) == ("LAYER_MALFORMED", True)


def test_every_failure_can_be_stored_and_sent() -> None:
    assert LayerMalformed("caf\udce9 \ud800").message.encode()


async def test_too_many_layers_are_refused(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.pulling.platforms.MOST_LAYERS", 2)
    scan = await bench.scan(image(*(layer(wheel("demo", str(number))) for number in range(3))))
    assert scan.failure is not None
    assert (scan.failure.reason, "the bound `layers`" in scan.failure.message) == ("LIMIT_EXCEEDED", True)


@pytest.mark.parametrize(
    "made",
    [
        debian(*(dpkg_record(f"p{number}", "1") for number in range(6))),
        debian(more=[wheel(f"p{number}", "1") for number in range(6)]),
        debian(*["Package: !\n\n"] * 6),
    ],
    ids=["dpkg", "wheels", "unreadable"],
)
async def test_too_many_packages_fail_the_scan(bench: Scanning, monkeypatch: pytest.MonkeyPatch, made: Image) -> None:
    monkeypatch.setattr("scanner.inventory.evidence.MOST_PACKAGES", 5)
    scan = await bench.scan(made)
    assert scan.failure is not None
    assert (scan.failure.reason, "the bound `packages`" in scan.failure.message) == ("LIMIT_EXCEEDED", True)


async def test_a_scan_of_a_process_that_ended_goes_on(tmp_path: Path) -> None:
    made = sample()
    async with scanning(tmp_path, Bounds(), Limits()) as killed:
        asked = await killed.ask(killed.push(made))
        arrived = asyncio.Event()

        async def arrive_and_hang(request: web.Request) -> web.StreamResponse:
            arrived.set()
            return await hang(request)

        killed.registry.faults["GET", layer_of(made)] = arrive_and_hang
        at_work = asyncio.create_task(killed.runner.run_next())
        await arrived.wait()
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
        assert (await killed.get(asked.scan_id)).state is ScanState.RUNNING
        killed.registry.faults.clear()
        assert await killed.runner.run_next()
        scan = await killed.get(asked.scan_id)
        assert (scan.state, scan.attempts) == (ScanState.SUCCEEDED, 2)


async def test_an_image_that_ends_the_scanner_again_and_again_is_given_up(bench: Scanning) -> None:
    made = sample()
    asked = await bench.ask(bench.push(made))
    for _ in range(3):
        async with bench.store.begin() as unit:
            assert await unit.scans.claim((), bench.clock.now())
    await bench.runner.run_next()
    scan = await bench.get(asked.scan_id)
    assert scan.failure is not None
    assert (scan.failure.reason, scan.attempts) == ("INTERNAL", 4)


async def test_a_defect_fails_the_scan_and_no_other(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.pulling.reading.take_inventory", broken)
    scan = await bench.scan(sample())
    assert scan.failure is not None
    assert scan.failure.reason == "INTERNAL"
    assert "division" not in scan.failure.message
    monkeypatch.undo()
    assert (await bench.scan(sample("2"))).state is ScanState.SUCCEEDED


async def test_what_can_not_be_stored_is_done_again(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StorageFull("full")

    monkeypatch.setattr("scanner.runner.record_scan", full)
    asked = await bench.ask(bench.push(sample()))
    for _ in range(5):
        with pytest.raises(StorageFull):
            await bench.runner.run_next()
        held = await bench.get(asked.scan_id)
        assert (held.state, held.attempts) == (ScanState.QUEUED, 0), "the image is not to blame"
        assert held.failure is not None
        assert held.failure.reason == "STORAGE_FULL"
        bench.clock.advance(60)
    monkeypatch.undo()
    assert await bench.runner.run_next()
    held = await bench.get(asked.scan_id)
    assert (held.state, held.failure) == (ScanState.SUCCEEDED, None)


async def test_a_full_disk_loses_no_scan(bench: Scanning) -> None:
    made = debian(*(dpkg_record(f"package-{number}", "1") for number in range(2000)))
    asked = await bench.ask(bench.push(made))
    async with room_for(bench.database, pages=20):
        with pytest.raises(StorageFull):
            await bench.runner.run_next()
    assert (await bench.risk(made.digest)).state is RiskState.SCANNING
    bench.clock.advance(60)
    assert await bench.runner.run_next()
    assert (await bench.get(asked.scan_id)).state is ScanState.SUCCEEDED


async def test_what_the_store_can_not_take_fails_that_scan_alone(
    bench: Scanning, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise UnicodeEncodeError("utf-8", "secret", 0, 1, "surrogates not allowed")

    monkeypatch.setattr("scanner.runner.record_scan", broken)
    scan = await bench.scan(sample())
    assert scan.failure is not None
    assert (scan.state, scan.failure.reason) == (ScanState.FAILED, "INTERNAL")
    assert "secret" not in scan.failure.message
    monkeypatch.undo()
    assert (await bench.scan(sample("2"))).state is ScanState.SUCCEEDED


async def test_a_clock_that_jumps_delays_nothing_for_ever(bench: Scanning) -> None:
    scan = await scan_with(bench, status(500), made := sample())
    bench.registry.faults.clear()
    bench.clock.set(bench.clock.now() - timedelta(days=400))
    assert (await bench.ask(made.digest)).scan_id == scan.scan_id
    assert await bench.runner.run_next()


async def test_the_runner_serves_what_comes(bench: Scanning) -> None:
    running = asyncio.create_task(bench.runner.run())
    reference = parse_reference(f"{bench.repository()}@{bench.push(sample())}")
    asked = await bench.desk.scan_image(DEVELOPER, reference, force=False)
    async for _, ended in bench.desk.watch(DEVELOPER, asked.scan_id):
        scan = ended
    assert scan is not None
    assert scan.state is ScanState.SUCCEEDED
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
