"""Who follows the stream of risks sees everything, in order, and what the clock alone changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, cast

import pytest
from chassis.identity import CALLER, Caller, Scope
from hallmark.common.v1 import stream_pb2
from hallmark.scanner.v1 import image_service_pb2 as pb
from hallmark.scanner.v1 import risk_pb2
from scanner.freshness import LONGEST_PAUSE, FreshnessKeeper
from scanner.risk_source import RiskSource
from scanner.servicers.image_service import ImageService

from tests.factories.advisories import osv_record
from tests.factories.knowledge import OPERATOR, Knowledge, week
from tests.factories.outcomes import digest_of, inventory, platform, python_package, scan_of

IMAGE = digest_of("image")
Answers = AsyncIterator[pb.WatchImageRiskResponse]


@pytest.fixture
def service(knowledge: Knowledge) -> ImageService:
    CALLER.set(OPERATOR)
    return ImageService(knowledge.viewer, RiskSource(knowledge.store, 1), knowledge.notifier)


def watch(service: ImageService, token: str = "") -> Answers:
    return service.WatchImageRisk(pb.WatchImageRiskRequest(resume_token=token), cast(Any, None))


async def snapshot(answers: Answers) -> tuple[list[risk_pb2.RiskRecord], str]:
    records: list[risk_pb2.RiskRecord] = []
    async for answer in answers:
        records += answer.records
        if answer.head.event == stream_pb2.STREAM_EVENT_SNAPSHOT_END:
            return records, answer.head.resume_token
    raise AssertionError("the stream ended")


async def change(answers: Answers) -> list[risk_pb2.RiskRecord]:
    async with asyncio.timeout(10):
        async for answer in answers:
            if answer.head.event == stream_pb2.STREAM_EVENT_CHANGE:
                return list(answer.records)
    raise AssertionError("the stream ended")


def kinds(records: list[risk_pb2.RiskRecord]) -> list[str | None]:
    return [record.WhichOneof("record") for record in records]


async def test_a_snapshot_then_a_scan_then_an_import(knowledge: Knowledge, service: ImageService) -> None:
    await knowledge.learn(osv_record("A-1", fixed="0.1"))
    async with aclosing(cast(Any, watch(service))) as answers:
        assert (await snapshot(answers))[0] == []
        await knowledge.scan(scan_of(platform(inventory(python_package()))))
        seen = await change(answers)
        assert kinds(seen) == ["feed_set", "image_risk"], "a feed set before the risk that names it"
        assert seen[1].image_risk.digest == IMAGE
        assert seen[1].image_risk.feed_set_id == seen[0].feed_set.feed_set_id == "PyPI"
        await knowledge.learn(osv_record("A-2", modified="2026-07-02T00:00:00Z"))
        seen = await change(answers)
        assert kinds(seen) == ["image_risk", "feed_set"], "no fresh time before the risk that goes with it"
        assert seen[0].image_risk.counts.unknown == 1
        assert seen[1].feed_set.as_of.ToJsonString() == "2026-07-02T00:00:00Z"


async def test_a_token_resumes_without_a_gap(knowledge: Knowledge, service: ImageService) -> None:
    await knowledge.learn(osv_record("A-1", fixed="0.1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    async with aclosing(cast(Any, watch(service))) as answers:
        records, token = await snapshot(answers)
    assert kinds(records) == ["feed_set", "image_risk"]
    await knowledge.learn(osv_record("A-2"))
    async with aclosing(cast(Any, watch(service, token))) as answers:
        assert [record.image_risk.counts.unknown for record in await change(answers)] == [1]


async def test_every_record_of_a_large_change_arrives(
    knowledge: Knowledge, service: ImageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.risk_source._RECORDS", 3)
    await knowledge.learn(osv_record("A-1", fixed="0.1"))
    for number in range(8):
        await knowledge.scan(scan_of(platform(inventory(python_package()), f"image {number}")))
    async with aclosing(cast(Any, watch(service))) as answers:
        records, _ = await snapshot(answers)
        assert kinds(records).count("image_risk") == 8
        await knowledge.learn(osv_record("A-2"))
        seen: list[str] = []
        while len(seen) < 8:
            seen += [record.image_risk.digest for record in await change(answers)]
    assert sorted(seen) == sorted(digest_of(f"image {number}") for number in range(8))


async def test_a_feed_that_grows_too_old_is_streamed_when_it_does(knowledge: Knowledge, service: ImageService) -> None:
    await knowledge.learn(osv_record("A-1"), as_of=knowledge.clock.now())
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    keeper = FreshnessKeeper(knowledge.store, knowledge.clock, week)
    assert await keeper.refresh() == LONGEST_PAUSE
    async with aclosing(cast(Any, watch(service))) as answers:
        records, _ = await snapshot(answers)
        assert not records[0].feed_set.too_old
        knowledge.advance(days=7, seconds=-5)
        assert await keeper.refresh() == timedelta(seconds=5), "it looks again when the feed expires"
        knowledge.advance(seconds=6)
        await keeper.refresh()
        (record,) = await change(answers)
        assert record.feed_set.too_old
        assert list(record.feed_set.reasons) == [
            "The advisories of PyPI are of 2026-07-02 12:00 UTC, older than 7 days."
        ]


async def test_a_clock_put_back_is_streamed_and_so_is_its_correction(
    knowledge: Knowledge, service: ImageService
) -> None:
    await knowledge.learn(osv_record("A-1"), as_of=knowledge.clock.now())
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    keeper = FreshnessKeeper(knowledge.store, knowledge.clock, week)
    right = knowledge.clock.now()
    async with aclosing(cast(Any, watch(service))) as answers:
        await snapshot(answers)
        for time, too_old in ((right - timedelta(days=30), True), (right, False)):
            knowledge.clock.set(time)
            assert await keeper.refresh() <= LONGEST_PAUSE
            assert [record.feed_set.too_old for record in await change(answers)] == [too_old]


async def test_a_binding_hides_images_of_other_repositories(knowledge: Knowledge, service: ImageService) -> None:
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    CALLER.set(Caller("example.org", "verifier", "v", frozenset(), Scope(repositories=("reg.example.com/else/*",))))
    async with aclosing(cast(Any, watch(service))) as answers:
        assert kinds((await snapshot(answers))[0]) == ["feed_set"]


async def test_what_is_unchanged_is_not_streamed_again(knowledge: Knowledge, service: ImageService) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    counter = await knowledge.counter()
    await FreshnessKeeper(knowledge.store, knowledge.clock, week).refresh()
    await knowledge.learn(osv_record("A-1"))
    assert await knowledge.counter() == counter
