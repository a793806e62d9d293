"""Which revision is in force: by activation, by rolling back, and never over a change that the caller has not seen."""

import pytest
from chassis.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound, PermissionDenied
from chassis.tables import audit_entries
from hallmark.policy.v1 import policy_service_pb2 as pb
from hallmark.policy.v1 import revision_pb2
from sqlalchemy import select

from tests.factories.policy_messages import policy, rule
from tests.factories.policy_service import NO_CONTEXT, Offices, acting


async def create(office: Offices, count: int = 1, cluster: str = "prod-eu") -> None:
    for number in range(count):
        given = policy(rule(f"rule {number}"), cluster=cluster)
        await office.policies.CreateRevision(pb.CreateRevisionRequest(policy=given), NO_CONTEXT)


async def activate(
    office: Offices, revision: int, expected: int, cluster: str = "prod-eu", request_id: str = ""
) -> revision_pb2.ActivePolicy:
    request = pb.ActivateRevisionRequest(
        cluster=cluster, revision=revision, expected_active_revision=expected, request_id=request_id
    )
    return (await office.policies.ActivateRevision(request, NO_CONTEXT)).active


async def roll_back(office: Offices, expected: int, request_id: str = "") -> revision_pb2.ActivePolicy:
    request = pb.RollBackRequest(cluster="prod-eu", expected_active_revision=expected, request_id=request_id)
    return (await office.policies.RollBack(request, NO_CONTEXT)).active


async def active(office: Offices) -> int:
    found = await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu"), NO_CONTEXT)
    return found.revision.revision


async def test_an_activated_revision_is_in_force(office: Offices) -> None:
    with acting("cluster-admin", "ada"):
        await create(office, 2)
        first = await activate(office, 1, expected=0)
        second = await activate(office, 2, expected=1)
        assert await active(office) == 2
    assert (first.revision, first.previous_revision) == (1, 0)
    assert (second.revision, second.previous_revision) == (2, 1)
    assert second.activated_by == "spiffe://test.example/cluster-admin/ada"
    assert office.counted("hallmark_policy_activations_total", how="activated") == 2


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_change_that_the_caller_has_not_seen_aborts(office: Offices, expected: int) -> None:
    with acting():
        await create(office, 2)
        await activate(office, 1, expected=0)
        with pytest.raises(Aborted, match="revision 1 is in force") as refused:
            await activate(office, 2, expected=expected)
        assert refused.value.metadata["active_revision"] == "1"
        assert await active(office) == 1


async def test_a_revision_that_does_not_exist_is_not_activated(office: Offices) -> None:
    with acting(), pytest.raises(NotFound):
        await activate(office, 1, expected=0)


async def test_activating_what_is_active_changes_nothing(office: Offices) -> None:
    with acting():
        await create(office)
        first = await activate(office, 1, expected=0)
        assert await activate(office, 1, expected=1) == first
    assert office.counted("hallmark_policy_activations_total", how="activated") == 1


async def test_the_same_request_id_activates_once(office: Offices) -> None:
    with acting():
        await create(office, 2)
        first = await activate(office, 1, expected=0, request_id="a")
        await activate(office, 2, expected=1)
        assert await activate(office, 1, expected=0, request_id="a") == first
        assert await active(office) == 2
        with pytest.raises(AlreadyExists):
            await activate(office, 2, expected=0, request_id="a")


async def test_rolling_back_goes_back_step_by_step(office: Offices) -> None:
    with acting():
        await create(office, 3)
        for revision, expected in ((1, 0), (2, 1), (3, 2)):
            await activate(office, revision, expected)
        back = [await roll_back(office, expected=3), await roll_back(office, expected=2)]
        with pytest.raises(FailedPrecondition, match="first that was in force") as refused:
            await roll_back(office, expected=1)
    assert [(one.revision, one.previous_revision) for one in back] == [(2, 1), (1, 0)]
    assert refused.value.reason == "NOTHING_TO_ROLL_BACK_TO"
    assert office.counted("hallmark_policy_activations_total", how="rolled_back") == 2


async def test_what_is_activated_after_rolling_back_returns_to_where_it_was_activated(office: Offices) -> None:
    with acting():
        await create(office, 3)
        for revision, expected in ((1, 0), (2, 1)):
            await activate(office, revision, expected)
        await roll_back(office, expected=2)
        await activate(office, 3, expected=1)
        assert (await roll_back(office, expected=3)).revision == 1


async def test_rolling_back_over_a_change_that_the_caller_has_not_seen_aborts(office: Offices) -> None:
    with acting():
        await create(office, 2)
        await activate(office, 1, expected=0)
        await activate(office, 2, expected=1)
        with pytest.raises(Aborted):
            await roll_back(office, expected=1)
        assert (await roll_back(office, expected=2, request_id="a")) == (
            await roll_back(office, expected=2, request_id="a")
        )


async def test_there_is_nothing_to_roll_back_in_a_new_cluster(office: Offices) -> None:
    with acting(), pytest.raises(NotFound):
        await roll_back(office, expected=0)


async def test_active_policies_are_listed_by_cluster_within_the_scope(office: Offices) -> None:
    with acting():
        for cluster in ("prod-us", "prod-eu", "staging-1", "idle"):
            await create(office, cluster=cluster)
            if cluster != "idle":
                await activate(office, 1, expected=0, cluster=cluster)
        first = await office.policies.ListActivePolicies(pb.ListActivePoliciesRequest(page_size=2), NO_CONTEXT)
        rest = await office.policies.ListActivePolicies(
            pb.ListActivePoliciesRequest(page_size=2, page_token=first.next_page_token), NO_CONTEXT
        )
    assert [one.cluster for one in first.active_policies] == ["prod-eu", "prod-us"]
    assert [one.cluster for one in rest.active_policies] == ["staging-1"]
    assert rest.next_page_token == ""
    with acting(clusters=("staging-*",)):
        own = await office.policies.ListActivePolicies(pb.ListActivePoliciesRequest(), NO_CONTEXT)
    assert [one.cluster for one in own.active_policies] == ["staging-1"]


async def test_a_narrowed_caller_stays_within_its_clusters(office: Offices) -> None:
    with acting(clusters=("staging-*",)):
        with pytest.raises(PermissionDenied):
            await activate(office, 1, expected=0)
        with pytest.raises(PermissionDenied):
            await roll_back(office, expected=1)


async def test_each_change_stands_in_the_audit_log_and_a_refused_one_does_not(office: Offices) -> None:
    with acting():
        await create(office, 2)
        await activate(office, 1, expected=0)
        await activate(office, 2, expected=1)
        with pytest.raises(Aborted):
            await activate(office, 1, expected=1)
        await roll_back(office, expected=2)
    async with office.database.read() as session:
        entries = (await session.execute(select(audit_entries).order_by(audit_entries.c.number))).all()
    assert [(entry.action, entry.subject, entry.details.get("replaced")) for entry in entries[2:]] == [
        ("revision.activate", "prod-eu@1", "0"),
        ("revision.activate", "prod-eu@2", "1"),
        ("revision.roll_back", "prod-eu@1", "2"),
    ]
