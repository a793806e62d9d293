"""From asking for a scan to its end."""

import asyncio

import pytest
from chassis.errors import PermissionDenied
from registry.errors import HostNotConfigured, ManifestNotFound
from registry.references import parse_reference
from scanner.errors import NoImageNamed, ScanNotFound, TagMoved
from scanner.progress import Phase, ScanProgress
from scanner.risk.model import RiskState
from scanner.scan_records import Request, Scan, ScanFilter, ScanState, Trigger
from scanner.scans import request_scan

from tests.factories.images import (
    Image,
    debian,
    dpkg_record,
    dpkg_status,
    image,
    layer,
    os_release,
    wheel,
)
from tests.factories.scanning import DEVELOPER, Scanning, narrowed


def sample() -> Image:
    return image(
        layer(os_release(), dpkg_status(dpkg_record("bash", "5.2.15-2+b2", source="bash (5.2.15-2)"))),
        layer(wheel("Jinja2", "3.0.0")),
    )


async def test_a_scan_from_its_request_to_its_end(bench: Scanning) -> None:
    made = sample()
    asked = await bench.ask(bench.push(made))
    assert (asked.state, asked.request.trigger) == (ScanState.QUEUED, Trigger.MANUAL)
    assert (await bench.risk(made.digest)).state is RiskState.SCANNING
    assert await bench.runner.run_next()
    scan = await bench.get(asked.scan_id)
    assert (scan.state, scan.attempts, scan.failure) == (ScanState.SUCCEEDED, 1, None)
    assert scan.summary is not None
    assert scan.summary.size == sum(len(blob) for blob in made.blobs.values() if b"rootfs" not in blob)
    [platform] = scan.summary.platforms
    assert (platform.platform, platform.digest) == ("linux/amd64", made.digest)
    assert platform.packages == {"Debian": 1, "PyPI": 1}
    risk = await bench.risk(made.digest)
    assert (risk.state, risk.scan_id, risk.feed_set) == (RiskState.SCANNED, asked.scan_id, "Debian:12+PyPI")
    assert not await bench.runner.run_next()


async def test_an_image_that_is_scanned_or_was_is_not_scanned_twice(bench: Scanning) -> None:
    digest = bench.push(sample())
    first = await bench.ask(digest)
    assert (await bench.ask(digest)).scan_id == first.scan_id
    assert (await bench.ask(digest, force=True)).scan_id == first.scan_id
    await bench.do_all()
    again = await bench.ask(digest)
    assert (again.scan_id, again.state) == (first.scan_id, ScanState.SUCCEEDED)
    forced = await bench.ask(digest, force=True)
    assert forced.scan_id != first.scan_id
    await bench.do_all()
    assert (await bench.get(forced.scan_id)).state is ScanState.SUCCEEDED


async def test_other_analyzers_read_an_image_again(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await bench.scan(sample())
    monkeypatch.setattr("scanner.scans.ANALYZERS", {"dpkg": 2})
    assert (await bench.ask(first.request.digest)).scan_id != first.scan_id


async def test_a_tag_is_resolved_once(bench: Scanning) -> None:
    digest = bench.push(sample(), "v1")
    reference = parse_reference(bench.repository() + ":v1")
    scan = await bench.desk.scan_image(DEVELOPER, reference, force=False)
    bench.push(debian(), "v1")
    await bench.do_all()
    assert (scan.request.digest, scan.request.tag) == (digest, "v1")
    async with bench.store.read() as unit:
        held = await unit.catalogue.get(bench.repository(), digest)
    assert held is not None
    assert held.tags == ("v1",)


async def test_what_can_not_be_asked_for(bench: Scanning) -> None:
    digest = bench.push(sample(), "v1")
    name = bench.repository()
    for text, refusal in [
        (name, NoImageNamed),
        (f"{name}:v2", ManifestNotFound),
        (f"{name}:v1@sha256:{'a' * 64}", TagMoved),
        (f"elsewhere.example/app@{digest}", HostNotConfigured),
    ]:
        with pytest.raises(refusal):
            await bench.desk.scan_image(DEVELOPER, parse_reference(text), force=False)
    with pytest.raises(PermissionDenied):
        await bench.desk.scan_image(narrowed("developer", "other/**"), parse_reference(f"{name}@{digest}"), force=False)
    with pytest.raises(ScanNotFound):
        await bench.get("nothing")


async def test_lists_are_narrowed_and_paged(bench: Scanning) -> None:
    scans = [await bench.scan(image(layer(wheel("a", str(number)))), path) for number, path in enumerate("abab")]
    newest = [scan.scan_id for scan in reversed(scans)]
    everything = ScanFilter()
    page = await bench.desk.page(DEVELOPER, everything, "", None, 3)
    assert ([scan.scan_id for scan in page.records], page.more) == (newest[:3], True)
    rest = await bench.desk.page(DEVELOPER, everything, "", page.records[-1].number, 3)
    assert ([scan.scan_id for scan in rest.records], rest.more) == (newest[3:], False)
    one = await bench.desk.page(DEVELOPER, everything, bench.repository("a"), None, 9)
    assert [scan.scan_id for scan in one.records] == newest[1::2]
    caller = narrowed("developer", bench.repository("b"))
    assert [scan.scan_id for scan in (await bench.desk.page(caller, everything, "", None, 9)).records] == newest[0::2]
    with pytest.raises(ScanNotFound):
        await bench.desk.get(caller, scans[0].scan_id)
    for wanted in [
        ScanFilter(digest=scans[0].request.digest),
        ScanFilter(states=frozenset({ScanState.QUEUED})),
        ScanFilter(triggers=frozenset({Trigger.PUSH})),
        ScanFilter(target="t"),
    ]:
        found = (await bench.desk.page(DEVELOPER, wanted, "", None, 9)).records
        assert [scan.scan_id for scan in found] == ([scans[0].scan_id] if wanted.digest else [])


async def test_who_waits_for_it_has_the_first_turn(bench: Scanning) -> None:
    triggers = [Trigger.EXISTING, Trigger.PUSH, Trigger.MANUAL]
    async with bench.store.begin() as unit:
        for trigger in triggers:
            path = trigger.value.lower()
            digest = bench.push(image(layer(wheel(path, "1"))), path=path)
            await request_scan(unit, Request(bench.repository(path), digest, trigger), bench.clock)
    order = []
    while await bench.runner.run_next():
        ended = ScanFilter(states=frozenset({ScanState.SUCCEEDED}))
        done = (await bench.desk.page(DEVELOPER, ended, "", None, 9)).records
        order += [scan.request.trigger for scan in done if scan.request.trigger not in order]
    assert order == triggers[::-1]


async def test_watching_a_scan(bench: Scanning) -> None:
    made = sample()
    asked = await bench.ask(bench.push(made))
    seen: list[tuple[ScanProgress, Scan | None]] = []
    begun = asyncio.Event()

    async def watch() -> None:
        async for step in bench.desk.watch(DEVELOPER, asked.scan_id):
            seen.append(step)
            begun.set()

    watching = asyncio.create_task(watch())
    await begun.wait()
    await bench.runner.run_next()
    await watching
    assert seen[0][0].phase is Phase.QUEUED
    assert all(scan is None for _, scan in seen[:-1])
    last, scan = seen[-1]
    assert last.phase is Phase.DONE
    assert scan is not None
    assert scan.state is ScanState.SUCCEEDED


async def test_watching_what_others_may_not_see(bench: Scanning) -> None:
    asked = await bench.ask(bench.push(sample()))
    with pytest.raises(ScanNotFound):
        await anext(bench.desk.watch(narrowed("developer", "other/**"), asked.scan_id))
