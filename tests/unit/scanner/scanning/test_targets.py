"""Targets, and the search for images that are there already."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from chassis.errors import PermissionDenied
from chassis.identity import CALLER
from registry.errors import HostNotConfigured
from scanner.errors import TargetExists, TargetNotFound, TargetTooWide
from scanner.scan_records import ScanFilter, ScanState, Trigger
from scanner.target_records import Target

from tests.factories.images import Image, attestation, image, index, layer, wheel
from tests.factories.outcomes import NOW
from tests.factories.scanning import DEVELOPER, OPERATOR, Scanning, narrowed, week
from tests.fakes.registry import status


def sample(version: str = "1", **more: Any) -> Image:
    return image(layer(wheel("demo", version)), **more)


async def search(bench: Scanning) -> int:
    """Search until there is nothing to be done at once; returns how many steps it took."""
    steps = 0
    while await bench.searcher.step() == 0:
        steps += 1
    return steps


async def found(bench: Scanning) -> Mapping[str, str]:
    """What was asked for: digest -> repository, without the host."""
    scans = (await bench.desk.page(DEVELOPER, ScanFilter(), "", None, 99)).records
    assert {scan.request.trigger for scan in scans} <= {Trigger.EXISTING}
    return {scan.request.digest: scan.request.repository.partition("/")[2] for scan in scans}


async def trouble(bench: Scanning, name: str = "all") -> tuple[bool, str]:
    _, held, _ = await bench.targets.get(name)
    return held.running, held.trouble


async def test_what_is_there_already_is_scanned(bench: Scanning) -> None:
    one, two = sample("1"), sample("2")
    bench.push(one, "v1")
    bench.push(one, "latest")
    bench.push(two, "v2", "team/other")
    await bench.target()
    assert (await trouble(bench))[0]
    await search(bench)
    assert await found(bench) == {one.digest: "app", two.digest: "team/other"}
    assert await trouble(bench) == (False, "")
    _, _, counts = await bench.targets.get("all")
    assert (counts.scanned, counts.left, counts.failed) == (0, 2, 0)
    await bench.do_all()
    _, _, counts = await bench.targets.get("all")
    assert (counts.scanned, counts.left, counts.failed) == (2, 0, 0)


async def test_what_belongs_to_images_is_passed_over(bench: Scanning) -> None:
    made = sample()
    bench.push(made, "v1")
    bench.push(attestation(made), "sbom")
    bench.push(sample("2"), f"sha256-{made.digest[7:]}.sig")
    await bench.target()
    await search(bench)
    assert await found(bench) == {made.digest: "app"}


async def test_a_failed_image_is_counted(bench: Scanning) -> None:
    broken = Image(b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json")
    bench.push(broken, "old")
    await bench.target()
    await search(bench)
    await bench.do_all()
    _, _, counts = await bench.targets.get("all")
    assert (counts.scanned, counts.left, counts.failed) == (0, 0, 1)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), {"a", "b/c", "b/d/e"}),
        (("a",), (), {"a"}),
        (("b/*",), (), {"b/c"}),
        (("b/**",), (), {"b/c", "b/d/e"}),
        ((), ("b/**",), {"a"}),
        (("**",), ("a", "b/c"), {"b/d/e"}),
        (("nothing",), (), set()),
    ],
)
async def test_globs(bench: Scanning, include: tuple[str, ...], exclude: tuple[str, ...], expected: set[str]) -> None:
    for path in ("a", "b/c", "b/d/e"):
        bench.push(sample(path.replace("/", ".")), "v1", path)
    await bench.target(include=include, exclude=exclude)
    await search(bench)
    assert set((await found(bench)).values()) == expected


async def test_repositories_named_one_by_one_need_no_catalog(bench: Scanning) -> None:
    made = sample()
    bench.push(made, "v1")
    bench.registry.faults["GET", "/v2/_catalog"] = status(404)
    await bench.target(include=("app", "gone"))
    await search(bench)
    assert await found(bench) == {made.digest: "app"}
    await bench.target("wide")
    await search(bench)
    running, sentence = await trouble(bench, "wide")
    assert running
    assert "catalog" in sentence


async def test_the_newest_of_each_repository(bench: Scanning) -> None:
    times = {"1": "2026-01-01T00:00:00Z", "2": "2026-03-01T00:00:00Z", "3": "2026-02-01T00:00:00Z", "4": None}
    made = {version: sample(version, created=time) for version, time in times.items()}
    for version, one in made.items():
        bench.push(one, f"v{version}")
    bench.push(made["2"], "latest")
    newer = index(sample("5", created="2026-04-01T00:00:00Z"))
    bench.push(newer, "v5")
    other = sample("6", created="2020-01-01T00:00:00Z")
    bench.push(other, "v6", "other")
    await bench.target(newest=2)
    await search(bench)
    assert await found(bench) == {newer.digest: "app", made["2"].digest: "app", other.digest: "other"}


async def test_a_search_goes_on_where_it_was(bench: Scanning) -> None:
    for path in ("a", "b", "c"):
        bench.push(sample(path), "v1", path)
    await bench.target()
    await bench.searcher.step()
    await bench.searcher.step()
    assert set((await found(bench)).values()) == {"a", "b"}
    bench.registry.requests.clear()
    again = type(bench.searcher)(bench.store, bench.images, bench.clock, bench.searches, bench.queue, week)
    while await again.step() == 0:
        """The next one."""
    assert set((await found(bench)).values()) == {"a", "b", "c"}
    assert not [request.path for request in bench.registry.requests if request.path.startswith(("/v2/a/", "/v2/b/"))]


async def test_trouble_with_the_registry_is_shown_and_passes(bench: Scanning) -> None:
    bench.push(sample(), "v1")
    bench.registry.faults["GET", "/v2/app/tags/list"] = status(500)
    await bench.target()
    await search(bench)
    running, sentence = await trouble(bench)
    assert running
    assert "500" in sentence
    bench.registry.faults.clear()
    assert 0 < await bench.searcher.step() <= 30
    bench.clock.advance(31)
    await search(bench)
    assert len(await found(bench)) == 1
    assert (await trouble(bench))[0] is False


async def test_a_defect_amid_a_search_is_shown_and_ends_nothing(
    bench: Scanning, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_repository: str) -> list[str]:
        raise ZeroDivisionError

    bench.push(sample(), "v1")
    monkeypatch.setattr(bench.images, "tags", broken)
    await bench.target()
    await search(bench)
    running, sentence = await trouble(bench)
    assert (running, "its log says more" in sentence) == (True, True)
    monkeypatch.undo()
    bench.clock.advance(31)
    await search(bench)
    assert len(await found(bench)) == 1


async def test_a_repository_that_can_not_be_read_holds_up_no_other(bench: Scanning) -> None:
    bench.push(sample("1"), "v1", "closed")
    bench.push(sample("2"), "v1", "open")
    bench.registry.faults["GET", "/v2/closed/tags/list"] = status(403)
    await bench.target()
    await search(bench)
    assert list((await found(bench)).values()) == ["open"]
    running, sentence = await trouble(bench)
    assert not running
    assert "credentials" in sentence


@pytest.mark.parametrize("newest", [0, 2])
async def test_a_tag_that_can_not_be_read_holds_up_no_other(bench: Scanning, newest: int) -> None:
    good = bench.push(sample("1"), "v1")
    bench.push(sample("2"), "bad")
    bench.registry.faults["GET", "/v2/app/manifests/bad"] = status(307, Location="http://elsewhere.example/")
    await bench.target(newest=newest)
    await search(bench)
    assert list(await found(bench)) == [good]
    running, sentence = await trouble(bench)
    assert not running
    assert "The tag bad of" in sentence


async def test_an_image_whose_configuration_is_another_is_old_but_scanned(bench: Scanning) -> None:
    good, bad = sample("1", created="2020-01-01T00:00:00Z"), sample("2")
    bench.push(good, "v1")
    bench.push(bad, "v2")
    config = json.loads(bad.body)["config"]["digest"]
    bench.registry.blobs["app", config] = b"something else"
    await bench.target(newest=1)
    await search(bench)
    assert list(await found(bench)) == [good.digest]


async def test_a_change_searches_again(bench: Scanning) -> None:
    for path in ("a", "b"):
        bench.push(sample(path), "v1", path)
    await bench.target(include=("a",))
    await search(bench)
    target, _, _ = await bench.targets.get("all")
    changed = await bench.targets.update(OPERATOR, replace(target, include=("a", "b")), frozenset({"include"}))
    assert changed.include == ("a", "b")
    await search(bench)
    assert sorted((await found(bench)).values()) == ["a", "b"]


async def test_a_disabled_target_rests_and_catches_up(bench: Scanning) -> None:
    bench.push(sample("1"), "v1", "a")
    await bench.target()
    await search(bench)
    target, _, _ = await bench.targets.get("all")
    await bench.targets.update(OPERATOR, replace(target, enabled=False), frozenset({"enabled"}))
    assert not await bench.runner.run_next()
    bench.push(sample("2"), "v1", "b")
    await search(bench)
    assert len(await found(bench)) == 1
    await bench.targets.update(OPERATOR, replace(target, enabled=True), frozenset({"enabled"}))
    await search(bench)
    await bench.do_all()
    _, _, counts = await bench.targets.get("all")
    assert (counts.scanned, counts.left, counts.failed) == (2, 0, 0)


async def test_a_person_may_have_an_image_of_a_disabled_target_scanned(bench: Scanning) -> None:
    made = sample()
    bench.push(made, "v1")
    await bench.target()
    await search(bench)
    target, _, _ = await bench.targets.get("all")
    await bench.targets.update(OPERATOR, replace(target, enabled=False), frozenset({"enabled"}))
    assert not await bench.runner.run_next()
    asked = await bench.ask(made.digest)
    assert await bench.runner.run_next()
    assert (await bench.get(asked.scan_id)).state is ScanState.SUCCEEDED


async def test_the_images_of_a_disabled_target_stand_still_unless_another_keeps_them(bench: Scanning) -> None:
    for path in ("a", "b"):
        bench.push(sample(path), "v1", path)
    await bench.target()
    await bench.target("other", include=("b",))
    await search(bench)
    await bench.do_all()
    digests = {path: digest for digest, path in (await found(bench)).items()}

    async def still(path: str) -> bool:
        return (await bench.risk(digests[path], path)).feed_set.startswith("still:")

    target, _, _ = await bench.targets.get("all")
    await bench.targets.update(OPERATOR, replace(target, enabled=False), frozenset({"enabled"}))
    assert (await still("a"), await still("b")) == (True, False)
    await bench.target("third", include=("a",))
    await search(bench)
    assert not await still("a")
    third, _, _ = await bench.targets.get("third")
    await bench.targets.update(OPERATOR, replace(third, enabled=False), frozenset({"enabled"}))
    assert await still("a")
    await bench.targets.delete(OPERATOR, "third")
    assert await still("a")
    await bench.targets.delete(OPERATOR, "other")
    assert await still("b")
    await bench.targets.delete(OPERATOR, "all")
    assert (await still("a"), await still("b")) == (False, False)


async def test_a_deleted_target_is_gone_and_its_results_stay(bench: Scanning) -> None:
    made = sample()
    bench.push(made, "v1")
    await bench.target()
    await search(bench)
    await bench.do_all()
    await bench.targets.delete(OPERATOR, "all")
    with pytest.raises(TargetNotFound):
        await bench.targets.get("all")
    [scan] = (await bench.desk.page(DEVELOPER, ScanFilter(target="all"), "", None, 9)).records
    assert scan.state is ScanState.SUCCEEDED
    await bench.target()
    assert (await bench.targets.page("", 9)).records[0].name == "all"


async def test_what_can_not_be_created(bench: Scanning) -> None:
    await bench.target()
    draft, _, _ = await bench.targets.get("all")
    for caller, refused, refusal in [
        (OPERATOR, draft, TargetExists),
        (OPERATOR, replace(draft, name="b", registry="elsewhere.example"), HostNotConfigured),
        (narrowed("operator", bench.repository("app")), replace(draft, name="b"), TargetTooWide),
        (narrowed("operator", bench.repository("app")), replace(draft, name="b", include=("*",)), TargetTooWide),
        (narrowed("operator", bench.repository("app")), replace(draft, name="b", include=("other",)), PermissionDenied),
    ]:
        with pytest.raises(refusal):
            await bench.targets.create(caller, refused)
    caller = narrowed("operator", bench.repository("app"))
    CALLER.set(caller)
    created, _ = await bench.targets.create(caller, replace(draft, name="b", include=("app",)))
    for order in (
        bench.targets.update(caller, replace(created, include=("app", "other")), frozenset({"include"})),
        bench.targets.update(caller, draft, frozenset({"newest"})),
        bench.targets.delete(caller, "all"),
        bench.targets.rotate_token(caller, "all"),
    ):
        with pytest.raises(PermissionDenied):
            await order


async def test_lists_are_in_order_and_paged(bench: Scanning) -> None:
    for name in ("c", "a", "b"):
        await bench.target(name)
    first = await bench.targets.page("", 2)
    assert ([one.name for one in first.records], first.more) == (["a", "b"], True)
    rest = await bench.targets.page("b", 2)
    assert ([one.name for one in rest.records], rest.more) == (["c"], False)


async def test_the_searcher_hears_of_a_new_target(bench: Scanning) -> None:
    bench.push(sample(), "v1")
    searching = asyncio.create_task(bench.searcher.run())
    queued = bench.queue.listen()
    await bench.target()
    await queued.wait()
    assert len(await found(bench)) == 1
    searching.cancel()
    await asyncio.gather(searching, return_exceptions=True)


def test_what_a_target_covers() -> None:
    target = Target("t", "reg.example", ("team/**",), ("team/private/**",), (), 0, True, NOW)
    assert target.covers("reg.example/team/a/b")
    assert not target.covers("reg.example/team/private/b")
    assert not target.covers("reg.example/other")
    assert not target.covers("other.example/team/a")
    assert target.exact_repositories() is None
