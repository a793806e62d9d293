"""Images of a disabled target keep the results that they have, marked with their age, until it is enabled again."""

from datetime import UTC, datetime

from scanner.risk.model import RiskCause, RiskState
from scanner.stillness import keep_fresh, stand_still

from tests.factories.advisories import osv_record
from tests.factories.knowledge import OPERATOR, Knowledge, week
from tests.factories.outcomes import (
    REPOSITORY,
    debian_package,
    digest_of,
    inventory,
    platform,
    python_package,
    scan_of,
)

IMAGE, INDEX = digest_of("image"), digest_of("index")
LATER = "2026-07-02T00:00:00Z"
FIRST_AS_OF = datetime(2026, 7, 1, tzinfo=UTC)


async def rest(knowledge: Knowledge, *digests: str) -> None:
    async with knowledge.store.begin() as unit:
        await stand_still(unit, [(REPOSITORY, digest) for digest in digests], week, knowledge.clock.now())


async def wake(knowledge: Knowledge, *digests: str) -> None:
    async with knowledge.store.begin() as unit:
        await keep_fresh(unit, [(REPOSITORY, digest) for digest in digests], week, knowledge.clock.now())


async def found(knowledge: Knowledge, digest: str = IMAGE) -> list[str]:
    return [finding.vulnerability.name for finding in await knowledge.findings(digest)]


async def test_results_stay_and_grow_old(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    await rest(knowledge, IMAGE)
    knowledge.advance(hours=1)
    await knowledge.learn(
        osv_record("A-1", modified=LATER, fixed="0.1"), osv_record("A-2"), as_of=knowledge.clock.now()
    )
    risk, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert (risk.state, sum(risk.counts.by_severity)) == (RiskState.SCANNED, 1)
    assert await found(knowledge) == ["A-1"], "what was known then"
    assert feeds is not None
    assert feeds.name == "still:20260701T000000.000000Z:PyPI"
    assert feeds.as_of == FIRST_AS_OF
    knowledge.advance(days=7)
    await knowledge.learn(osv_record("A-3", package="other"), as_of=knowledge.clock.now())
    risk = await knowledge.risk(IMAGE)
    assert (risk.state, risk.reasons) == (
        RiskState.INCOMPLETE,
        ("It is not kept fresh: it was last compared with advisories of 2026-07-01 00:00 UTC.",),
    )


async def test_kept_fresh_again_it_catches_up(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    await rest(knowledge, IMAGE)
    imported = await knowledge.learn(osv_record("A-2", modified=LATER))
    await wake(knowledge, IMAGE)
    risk, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert feeds is not None
    assert (feeds.name, feeds.as_of) == ("PyPI", datetime(2026, 7, 2, tzinfo=UTC))
    assert sum(risk.counts.by_severity) == 2
    assert await found(knowledge) == ["A-1", "A-2"]
    view = await knowledge.viewer.image(OPERATOR, REPOSITORY, IMAGE)
    assert (view.changes[0].cause, view.changes[0].cause_id) == (RiskCause.IMPORT, imported.import_id)


async def test_both_ways_are_safe_to_repeat_and_of_unknown_images(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    await rest(knowledge, IMAGE, digest_of("unknown"))
    counter = await knowledge.counter()
    knowledge.advance(minutes=1)
    await rest(knowledge, IMAGE)
    assert await knowledge.counter() == counter
    await wake(knowledge, IMAGE)
    counter = await knowledge.counter()
    await wake(knowledge, IMAGE, digest_of("unknown"))
    assert await knowledge.counter() == counter


async def test_an_image_without_a_needed_feed_stays_incomplete(knowledge: Knowledge) -> None:
    await knowledge.scan(scan_of(platform(inventory(python_package(), debian_package("bash", "5")))))
    await rest(knowledge, IMAGE)
    await knowledge.learn(osv_record("A-1"), osv_record("D-1", "Debian:12", "bash"), ecosystems=("PyPI", "Debian"))
    risk, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert risk.state is RiskState.INCOMPLETE
    assert feeds is not None
    assert feeds.name == "still:never:Debian:12+PyPI"


async def test_platforms_rest_with_their_index_unless_another_image_needs_them(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1", fixed="0.1"))
    shared = platform(inventory(python_package()), "shared", "linux/amd64")
    own = platform(inventory(python_package("other")), "own", "linux/arm64")
    asked = platform(inventory(python_package("third")), "asked", "linux/s390x")
    await knowledge.scan(scan_of(shared, own, asked, digest=INDEX))
    await knowledge.scan(scan_of(shared, digest=digest_of("second index")))
    await knowledge.scan(scan_of(asked))
    await rest(knowledge, INDEX)
    names = {}
    for name in ("index", "second index", "shared", "own", "asked"):
        names[name] = (await knowledge.risk(digest_of(name))).feed_set.startswith("still:")
    assert names == {"index": True, "second index": False, "shared": False, "own": True, "asked": False}
    await wake(knowledge, INDEX)
    assert not (await knowledge.risk(digest_of("own"))).feed_set.startswith("still:")


async def test_a_scan_by_hand_renews_what_is_known(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    await rest(knowledge, IMAGE)
    await knowledge.learn(osv_record("A-2", modified=LATER))
    at = knowledge.advance(hours=2)
    await knowledge.scan(scan_of(platform(inventory(python_package())), scan_id="scan-2", at=at))
    risk, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert sum(risk.counts.by_severity) == 2
    assert feeds is not None
    assert feeds.name == "still:20260702T000000.000000Z:PyPI"
    assert await found(knowledge) == ["A-1", "A-2"]
