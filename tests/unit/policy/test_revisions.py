"""Revisions: numbered per cluster, kept as they were sent, within the scope of who asks."""

import hashlib
from datetime import UTC, datetime

import pytest
from chassis.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from chassis.paging import open_page
from chassis.tables import audit_entries
from hallmark.policy.v1 import policy_pb2
from hallmark.policy.v1 import policy_service_pb2 as pb
from policy.errors import PolicyInvalid
from sqlalchemy import select

from tests.factories.policy_messages import policy, rule
from tests.factories.policy_service import NO_CONTEXT, Offices, acting


async def create(office: Offices, cluster: str = "prod-eu", **given: str | bool) -> pb.CreateRevisionResponse:
    request = pb.CreateRevisionRequest(policy=policy(rule(), cluster=cluster), **given)  # type: ignore[arg-type]
    return await office.policies.CreateRevision(request, NO_CONTEXT)


async def listed(office: Offices, **given: str | int) -> pb.ListRevisionsResponse:
    return await office.policies.ListRevisions(
        pb.ListRevisionsRequest(cluster="prod-eu", **given),  # type: ignore[arg-type]  # the test names fields
        NO_CONTEXT,
    )


async def test_revisions_are_numbered_in_each_cluster_by_itself(office: Offices) -> None:
    with acting():
        numbers = [
            (await create(office, cluster)).revision.revision
            for cluster in ("prod-eu", "prod-eu", "prod-us", "prod-eu")
        ]
    assert numbers == [1, 2, 1, 3]


async def test_a_revision_says_who_made_it_when_and_why(office: Offices) -> None:
    office.clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC))
    with acting("cluster-admin", "ada"):
        revision = (await create(office, comment="Sign payments")).revision
    assert revision.author == "spiffe://test.example/cluster-admin/ada"
    assert revision.create_time.ToDatetime(UTC) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert revision.comment == "Sign payments"
    assert revision.sha256 == hashlib.sha256(policy(rule()).SerializeToString(deterministic=True)).hexdigest()


async def test_a_revision_is_given_back_as_it_was_sent(office: Offices) -> None:
    with acting():
        made = await create(office)
        found = await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu", revision=1), NO_CONTEXT)
    assert found.revision == made.revision
    assert found.policy == policy(rule())


async def test_creating_puts_nothing_in_force(office: Offices) -> None:
    with acting():
        await create(office)
        with pytest.raises(NotFound, match="No revision is in force"):
            await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu"), NO_CONTEXT)


async def test_an_invalid_policy_is_not_stored(office: Offices) -> None:
    with acting():
        with pytest.raises(PolicyInvalid):
            await office.policies.CreateRevision(
                pb.CreateRevisionRequest(policy=policy_pb2.Policy(cluster="prod-eu")), NO_CONTEXT
            )
        assert list((await listed(office)).revisions) == []


async def test_validating_stores_nothing_and_finds_the_same(office: Offices) -> None:
    with acting():
        assert not (await create(office, validate_only=True)).HasField("revision")
        with pytest.raises(PolicyInvalid):
            await create(office, cluster="", validate_only=True)
        assert list((await listed(office)).revisions) == []


async def test_the_same_request_id_makes_one_revision(office: Offices) -> None:
    with acting():
        first = await create(office, request_id="a")
        assert await create(office, request_id="a") == first
        assert len((await listed(office)).revisions) == 1
        with pytest.raises(AlreadyExists):
            await create(office, cluster="prod-us", request_id="a")
    with acting("cluster-admin", "grace"):
        assert (await create(office, request_id="a")).revision.revision == 2


async def test_revisions_are_listed_the_newest_first_page_by_page(office: Offices) -> None:
    with acting():
        for _ in range(5):
            await create(office)
        first = await listed(office, page_size=2)
        second = await listed(office, page_size=2, page_token=first.next_page_token)
        third = await listed(office, page_size=2, page_token=second.next_page_token)
    pages = [[revision.revision for revision in page.revisions] for page in (first, second, third)]
    assert pages == [[5, 4], [3, 2], [1]]
    assert third.next_page_token == ""


@pytest.mark.parametrize("token", ["bm9uc2Vuc2U=", "x", "é"])
async def test_a_token_of_another_list_is_refused(office: Offices, token: str) -> None:
    with acting(), pytest.raises(InvalidArgument):
        await listed(office, page_token=token)


@pytest.mark.parametrize("cursor", ["nonsense", "0", "-1", str(2**63), "1" * 1000])
async def test_a_token_with_a_forged_cursor_is_refused(office: Offices, cursor: str) -> None:
    with acting():
        forged = open_page(pb.ListRevisionsRequest(cluster="prod-eu")).token(cursor)
        with pytest.raises(InvalidArgument):
            await listed(office, page_token=forged)


async def test_a_missing_revision_is_not_found(office: Offices) -> None:
    with acting(), pytest.raises(NotFound, match="no revision 7"):
        await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu", revision=7), NO_CONTEXT)


async def test_a_number_that_no_database_holds_is_refused(office: Offices) -> None:
    with acting(), pytest.raises(InvalidArgument):
        await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu", revision=2**63), NO_CONTEXT)


async def test_a_narrowed_caller_stays_within_its_clusters(office: Offices) -> None:
    with acting(clusters=("staging-*",)):
        with pytest.raises(PermissionDenied, match="prod-eu"):
            await create(office)
        with pytest.raises(PermissionDenied, match="prod-eu"):
            await create(office, validate_only=True)
        with pytest.raises(PermissionDenied):
            await listed(office)
        with pytest.raises(PermissionDenied):
            await office.policies.GetRevision(pb.GetRevisionRequest(cluster="prod-eu", revision=1), NO_CONTEXT)
        assert (await create(office, "staging-1")).revision.revision == 1


async def test_each_revision_stands_in_the_audit_log(office: Offices) -> None:
    with acting("cluster-admin", "ada"):
        made = await create(office, comment="why")
    async with office.database.read() as session:
        entry = (await session.execute(select(audit_entries))).one()
    assert (entry.caller, entry.action, entry.subject, entry.outcome) == (
        "spiffe://test.example/cluster-admin/ada",
        "revision.create",
        "prod-eu@1",
        "DONE",
    )
    assert entry.details == {"sha256": made.revision.sha256, "comment": "why"}
