"""A full disk: said so by a refusal, nothing lost, and all is well once there is room."""

import pytest
from chassis.database import StorageFull
from hallmark.policy.v1 import policy_service_pb2 as pb
from sqlalchemy import text

from tests.factories.policy_messages import policy, rule
from tests.factories.policy_service import NO_CONTEXT, Offices, acting


async def limit(office: Offices, pages: int) -> None:
    """Let the database have so many pages more; below 0: as many as it wants."""
    async with office.database.begin() as session:
        used = (await session.execute(text("PRAGMA page_count"))).scalar_one()
        await session.execute(text(f"PRAGMA max_page_count = {used + pages if pages >= 0 else 2**31}"))


async def create(office: Offices, number: int) -> int:
    request = pb.CreateRevisionRequest(policy=policy(rule("all")), comment="x" * 1000, request_id=f"r{number}")
    return (await office.policies.CreateRevision(request, NO_CONTEXT)).revision.revision


async def fill(office: Offices) -> int:
    """Create until there is no room; return how many."""
    for number in range(1, 1000):
        try:
            assert await create(office, number) == number
        except StorageFull:
            return number - 1
    raise AssertionError("the disk never became full")


async def kept(office: Offices) -> list[int]:
    request = pb.ListRevisionsRequest(cluster="prod-eu", page_size=1000)
    found = await office.policies.ListRevisions(request, NO_CONTEXT)
    return sorted(revision.revision for revision in found.revisions)


async def test_a_full_disk_refuses_changes_and_loses_none(office: Offices) -> None:
    with acting():
        await limit(office, 10)
        number = await fill(office)
        assert await kept(office) == list(range(1, number + 1))
        with pytest.raises(StorageFull, match="nothing was changed"):
            await create(office, number + 1)
        await limit(office, -1)
        assert await create(office, number + 1) == number + 1
        assert await create(office, 1) == 1
        assert await kept(office) == list(range(1, number + 2))
