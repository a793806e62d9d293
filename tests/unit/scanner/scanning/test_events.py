"""Push events: what is followed, what is not, and what a stranger may not do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from chassis.http import Application
from scanner.catalogue import ImageFilter
from scanner.errors import EventsMalformed, TokenRefused, TooManyPushes
from scanner.risk.model import RiskState
from scanner.scan_records import Scan, ScanFilter, ScanState, Trigger
from scanner.servicers.push_events import LARGEST, push_events

from tests.factories.images import OCI_MANIFEST, Image, attestation, image, index, layer, wheel
from tests.factories.scanning import DEVELOPER, OPERATOR, Scanning
from tests.fakes.registry import hang, status


def sample(version: str = "1") -> Image:
    return image(layer(wheel("demo", version)))


def event(made: Image, repository: str = "app", tag: str = "v1", action: str = "push", **more: Any) -> dict[str, Any]:
    target = {
        "mediaType": made.media_type,
        "digest": made.digest,
        "repository": repository,
        "tag": tag,
        "url": f"http://evil.example/v2/{repository}/manifests/{made.digest}",
        "size": len(made.body),
    }
    return {
        "id": "1",
        "timestamp": "2026-01-01T00:00:00Z",
        "action": action,
        "target": target | more,
        "request": {"host": "evil.example"},
        "source": {"addr": "evil.example:80"},
    }


def body(*events: Mapping[str, Any]) -> bytes:
    return json.dumps({"events": events}).encode()


async def scans(bench: Scanning) -> list[Scan]:
    while await bench.events.look():
        """The next ones."""
    await bench.do_all()
    return list((await bench.desk.page(DEVELOPER, ScanFilter(), "", None, 99)).records)


def events_of(bench: Scanning, outcome: str) -> float:
    return bench.count("hallmark_scanner_events_total", outcome=outcome)


async def test_a_push_is_scanned(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made, "v1")
    assert await bench.events.accept("all", token, body(event(made))) == 1
    [scan] = await scans(bench)
    assert (scan.state, scan.request.trigger) == (ScanState.SUCCEEDED, Trigger.PUSH)
    assert (scan.request.target, scan.request.tag, scan.request.digest) == ("all", "v1", made.digest)
    assert (await bench.risk(made.digest)).state is RiskState.SCANNED
    assert events_of(bench, "accepted") == 1
    _, _, counts = await bench.targets.get("all")
    assert (counts.scanned, counts.left, counts.failed) == (1, 0, 0)


async def test_a_push_is_kept_before_it_is_acknowledged(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    await bench.events.accept("all", token, body(event(made)))
    async with bench.store.read() as unit:
        assert [push.digest for push in await unit.pushes.due(9, bench.clock.now(), bench.clock.now())] == [made.digest]
        assert await unit.scans.queued() == 0


async def test_a_tag_counts_where_it_points_there(bench: Scanning) -> None:
    token, older, newer = await bench.target(), sample("1"), sample("2")
    bench.push(older, "v1")
    bench.push(newer, "v1")
    await bench.events.accept("all", token, body(event(newer), event(older)))
    assert {scan.request.digest: scan.request.tag for scan in await scans(bench)} == {
        newer.digest: "v1",
        older.digest: "",
    }
    async with bench.store.read() as unit:
        held = {image.risk.digest: image.tags for image in await unit.catalogue.page(ImageFilter(), None, 9)}
    assert held == {newer.digest: ("v1",), older.digest: ()}


async def test_a_registry_that_hangs_keeps_no_other_push_waiting(
    bench: Scanning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.events._LOOK_SECONDS", 0.3)
    token = await bench.target()
    stuck, good = sample("1"), sample("2")
    bench.push(stuck)
    bench.push(good, "v1")
    bench.registry.faults["GET", f"/v2/app/manifests/{stuck.digest}"] = hang
    await bench.events.accept("all", token, body(event(stuck, tag="v0"), event(good)))
    assert await bench.events.look()
    async with bench.store.read() as unit:
        queued = await unit.scans.page(ScanFilter(), None, 9)
    assert [(scan.request.digest, scan.request.tag) for scan in queued] == [(good.digest, "v1"), (stuck.digest, "")]


async def test_a_defect_amid_a_push_ends_nothing(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_repository: str, _digest: str) -> None:
        raise ZeroDivisionError

    token, made = await bench.target(), sample()
    bench.push(made, "v1")
    await bench.events.accept("all", token, body(event(made)))
    monkeypatch.setattr(bench.images, "manifest", broken)
    assert await bench.events.look()
    monkeypatch.undo()
    [scan] = await scans(bench)
    assert (scan.state, scan.request.digest) == (ScanState.SUCCEEDED, made.digest)


async def test_a_replay_scans_nothing_again(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    for _ in range(3):
        await bench.events.accept("all", token, body(event(made), event(made)))
        assert len(await scans(bench)) == 1


def by_digest(made: Image) -> dict[str, Any]:
    pushed = event(made)
    del pushed["target"]["tag"]
    return pushed


async def test_an_image_pushed_by_digest_is_followed_after_a_while(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    assert await bench.events.accept("all", token, body(by_digest(made))) == 1
    assert await scans(bench) == []
    bench.clock.advance(16)
    assert [scan.request.tag for scan in await scans(bench)] == [""]


async def test_a_platform_of_an_index_that_follows_is_no_image_of_its_own(bench: Scanning) -> None:
    token = await bench.target()
    whole = index(sample("1"), sample("2"))
    bench.push(whole, "v1")
    pushes = [by_digest(child) for child in whole.children]
    await bench.events.accept("all", token, body(*pushes))
    await bench.events.accept("all", token, body(event(whole)))
    await scans(bench)
    bench.clock.advance(60)
    assert [scan.request.digest for scan in await scans(bench)] == [whole.digest]


async def test_only_the_target_s_own_registry_is_asked(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    await bench.events.accept("all", token, body(event(made)))
    [scan] = await scans(bench)
    assert scan.failure is not None
    assert scan.failure.reason == "IMAGE_DELETED"
    assert {request.host for request in bench.registry.requests} == {bench.registry.host}


@pytest.mark.parametrize(
    ("pushed", "outcome"),
    [
        (event(sample(), action="pull"), "other"),
        (event(sample(), action="delete"), "other"),
        (event(sample(), mediaType="application/octet-stream"), "other"),
        (event(sample(), tag="sha256-" + "a" * 64), "companion"),
        (event(sample(), tag=f"sha256-{'a' * 64}.sig"), "companion"),
        (event(sample(), tag=f"sha256-{'a' * 64}.att"), "companion"),
        (event(sample(), "other/app"), "unmatched"),
        (event(sample(), "app/internal"), "unmatched"),
        (event(sample(), "../app"), "malformed"),
        (event(sample(), "evil.example/app@"), "malformed"),
        (event(sample(), "app:v2"), "malformed"),
        (event(sample(), digest="sha512:" + "a" * 128), "malformed"),
        (event(sample(), digest="sha256:short"), "malformed"),
        (event(sample(), tag="v 1"), "malformed"),
        (event(sample(), digest=""), "malformed"),
    ],
)
async def test_what_is_not_followed(bench: Scanning, pushed: Mapping[str, Any], outcome: str) -> None:
    token = await bench.target(include=("app", "app/*"), exclude=("app/internal",))
    assert await bench.events.accept("all", token, body(pushed)) == 0
    assert events_of(bench, outcome) == 1
    assert await scans(bench) == []


async def test_what_is_no_image_is_dropped_when_looked_into(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    statement = attestation(made)
    bench.push(statement)
    assert await bench.events.accept("all", token, body(event(statement, tag="referrer"))) == 1
    assert await scans(bench) == []
    assert events_of(bench, "artifact") == 1
    assert (await bench.risk(statement.digest)).state is RiskState.NOT_SCANNED


async def test_a_registry_in_trouble_delays_a_scan_and_loses_none(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    bench.registry.faults["GET", f"/v2/app/manifests/{made.digest}"] = status(500)
    await bench.events.accept("all", token, body(event(made)))
    assert [scan.state for scan in await scans(bench)] == [ScanState.QUEUED]
    bench.registry.faults.clear()
    bench.clock.advance(60)
    assert [scan.state for scan in await scans(bench)] == [ScanState.SUCCEEDED]


async def test_platforms_of_the_target(bench: Scanning) -> None:
    token = await bench.target(platforms=("linux/amd64",))
    whole = index(sample(), image(layer(wheel("demo", "2")), platform="linux/arm64"))
    bench.push(whole)
    await bench.events.accept("all", token, body(event(whole)))
    [scan] = await scans(bench)
    assert scan.summary is not None
    assert scan.summary.left_out == ("linux/arm64",)


async def test_a_disabled_target_follows_nothing(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    await bench.events.accept("all", token, body(event(made)))
    target, _, _ = await bench.targets.get("all")
    disabled = await bench.targets.update(OPERATOR, replace(target, enabled=False), frozenset({"enabled"}))
    assert not disabled.enabled
    assert await bench.events.accept("all", token, body(event(made))) == 0
    assert events_of(bench, "disabled") == 1
    assert await scans(bench) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"events": 1}',
        b'{"events": [1]}',
        b'{"events": [{"target": {"digest": 1}}]}',
        b"[" * 99999,
    ],
)
async def test_bodies_that_are_no_events(bench: Scanning, content: bytes) -> None:
    token = await bench.target()
    with pytest.raises(EventsMalformed):
        await bench.events.accept("all", token, content)


async def test_too_many_events(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    token, made = await bench.target(), sample()
    with pytest.raises(EventsMalformed, match="100"):
        await bench.events.accept("all", token, body(*[event(made)] * 101))
    monkeypatch.setattr("scanner.events.MOST_WAITING", 0)
    await bench.events.accept("all", token, body(event(made)))
    with pytest.raises(TooManyPushes):
        await bench.events.accept("all", token, body(event(made)))


@pytest.mark.parametrize("given", ["", "wrong", "\x00"])
async def test_tokens(bench: Scanning, given: str) -> None:
    token = await bench.target()
    other = await bench.target("other")
    for name, offered in [("all", given), ("all", other), ("nothing", token)]:
        with pytest.raises(TokenRefused):
            await bench.events.accept(name, offered, body(event(sample())))
    assert events_of(bench, "unauthorized") == 3
    replaced = await bench.targets.rotate_token(OPERATOR, "all")
    with pytest.raises(TokenRefused):
        await bench.events.accept("all", token, body())
    assert await bench.events.accept("all", replaced, body()) == 0


async def post(
    application: Application, path: str, content: bytes, authorization: str = "", method: str = "POST"
) -> int:
    """Send a request as an ASGI server does; returns the status."""
    sent: list[dict[str, Any]] = []
    headers = [(b"authorization", authorization.encode())] if authorization else []
    pieces = [content[start : start + 65536] for start in range(0, len(content), 65536)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    await application({"type": "http", "path": path, "method": method, "headers": headers}, receive, send)
    return int(sent[0]["status"])


async def test_over_http(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    application = push_events(bench.events)
    bearer, good = f"Bearer {token}", body(event(made))
    for path, content, authorization, method, expected in [
        ("/events/all", good, bearer, "POST", 202),
        ("/events/all", good, f"bearer {token}", "POST", 202),
        ("/events/all", good, "", "POST", 401),
        ("/events/all", good, f"Basic {token}", "POST", 401),
        ("/events/nothing", good, bearer, "POST", 401),
        ("/events/all", b"{", bearer, "POST", 400),
        ("/events/all", b" " * (LARGEST + 1), bearer, "POST", 413),
        ("/events/all", good, bearer, "GET", 405),
        ("/events/", good, bearer, "POST", 404),
        ("/events/all/more", good, bearer, "POST", 404),
        ("/metrics", good, bearer, "POST", 404),
    ]:
        assert await post(application, path, content, authorization, method) == expected


async def test_a_manifest_without_a_media_type_in_its_event(bench: Scanning) -> None:
    token, made = await bench.target(), sample()
    bench.push(made)
    assert made.media_type == OCI_MANIFEST
    assert await bench.events.accept("all", token, body(event(made, mediaType=""))) == 1
    assert len(await scans(bench)) == 1
