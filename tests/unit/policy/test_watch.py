"""WatchPolicies: what is in force in each cluster, then what changes, within the scope of who watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.identity import CALLER
from hallmark.common.v1 import stream_pb2
from hallmark.policy.v1 import policy_service_pb2 as pb

from tests.factories.policy_messages import policy, rule
from tests.factories.policy_service import NO_CONTEXT, Offices, acting, offices

BEGIN = stream_pb2.STREAM_EVENT_SNAPSHOT_BEGIN
BATCH = stream_pb2.STREAM_EVENT_SNAPSHOT_BATCH
END = stream_pb2.STREAM_EVENT_SNAPSHOT_END
CHANGE = stream_pb2.STREAM_EVENT_CHANGE
HEARTBEAT = stream_pb2.STREAM_EVENT_HEARTBEAT


async def put_in_force(office: Offices, cluster: str, expected: int = 0) -> None:
    made = await office.policies.CreateRevision(
        pb.CreateRevisionRequest(policy=policy(rule(f"after {expected}"), cluster=cluster)), NO_CONTEXT
    )
    await office.policies.ActivateRevision(
        pb.ActivateRevisionRequest(cluster=cluster, revision=made.revision.revision, expected_active_revision=expected),
        NO_CONTEXT,
    )


@asynccontextmanager
async def watching(office: Offices, token: str = "") -> AsyncIterator[AsyncIterator[pb.WatchPoliciesResponse]]:
    stream = office.policies.WatchPolicies(pb.WatchPoliciesRequest(resume_token=token), NO_CONTEXT)
    try:
        yield stream
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # the servicer's method is an async generator


async def until(stream: AsyncIterator[pb.WatchPoliciesResponse], event: int) -> list[pb.WatchPoliciesResponse]:
    """The answers up to the first of this kind."""
    seen = []
    async for answer in stream:
        seen.append(answer)
        if answer.head.event == event:
            break
    return seen


def said(answers: list[pb.WatchPoliciesResponse]) -> list[tuple[str, int]]:
    return [(record.cluster, record.revision) for answer in answers for record in answer.records]


async def test_a_snapshot_holds_the_policy_in_force_of_each_cluster(office: Offices) -> None:
    with acting():
        await put_in_force(office, "prod-eu")
        await put_in_force(office, "prod-us")
        await put_in_force(office, "prod-eu", expected=1)
        async with watching(office) as stream:
            answers = await until(stream, END)
    assert [answer.head.event for answer in answers] == [BEGIN, BATCH, BATCH, END]
    assert sorted(said(answers)) == [("prod-eu", 2), ("prod-us", 1)]
    assert answers[-1].head.counter == 3
    (record,) = [one for answer in answers for one in answer.records if one.cluster == "prod-eu"]
    assert record.policy == policy(rule("after 1"), cluster="prod-eu")


async def test_a_snapshot_of_nothing_is_whole_too(office: Offices) -> None:
    with acting():
        async with watching(office) as stream:
            answers = await until(stream, HEARTBEAT)
    assert [answer.head.event for answer in answers] == [BEGIN, END, HEARTBEAT]


async def test_an_activation_is_sent_as_a_change(office: Offices) -> None:
    with acting():
        async with watching(office) as stream:
            await until(stream, HEARTBEAT)
            await put_in_force(office, "prod-eu")
            answers = await until(stream, CHANGE)
    assert said(answers) == [("prod-eu", 1)]


async def test_a_stream_resumes_with_what_changed_and_is_still_so(office: Offices) -> None:
    with acting():
        await put_in_force(office, "prod-us")
        async with watching(office) as stream:
            token = (await until(stream, END))[-1].head.resume_token
        for expected in (0, 1, 2):
            await put_in_force(office, "prod-eu", expected)
        async with watching(office, token) as stream:
            answers = await until(stream, HEARTBEAT)
    assert [answer.head.event for answer in answers] == [CHANGE, HEARTBEAT]
    assert said(answers) == [("prod-eu", 3)]


async def test_a_token_of_another_epoch_gives_a_snapshot_of_the_new_one(tmp_path: Path) -> None:
    async with offices(tmp_path, epoch=1) as before:
        with acting():
            await put_in_force(before, "prod-eu")
            async with watching(before) as stream:
                token = (await until(stream, END))[-1].head.resume_token
    async with offices(tmp_path, epoch=2) as restored:
        with acting():
            async with watching(restored, token) as stream:
                answers = await until(stream, END)
    assert answers[0].head.event == BEGIN
    assert {answer.head.epoch for answer in answers} == {2}
    assert said(answers) == [("prod-eu", 1)]


async def test_a_narrowed_watcher_sees_its_clusters_alone(office: Offices) -> None:
    with acting():
        await put_in_force(office, "prod-eu")
        await put_in_force(office, "staging-1")
        await put_in_force(office, "prod-us")
    with acting("verifier", "1", clusters=("staging-*",)) as narrowed:
        async with watching(office) as stream:
            snapshot = await until(stream, HEARTBEAT)
            with acting():
                await put_in_force(office, "prod-eu", expected=1)
                await put_in_force(office, "staging-2")
            assert CALLER.get() is narrowed
            change = await until(stream, CHANGE)
    assert said(snapshot) == [("staging-1", 1)]
    assert said(change) == [("staging-2", 1)]
