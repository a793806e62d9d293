"""Merging imports, and what becomes of findings and risks then."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import pytest
from chassis.database import Database, StorageFull
from chassis.errors import InvalidArgument
from scanner.errors import ArchiveBroken, FeedEmpty, FeedGoesBack, FeedShrinks, FeedUnclear, NoRoom
from scanner.exposure import FindingState
from scanner.learning import ImportResult
from scanner.risk.model import RiskCause, RiskState
from scanner.severity import Severity

from tests.factories.advisories import osv_record, zip_of, zipped
from tests.factories.full_disk import room_for
from tests.factories.knowledge import Knowledge
from tests.factories.outcomes import NOW, REPOSITORY, digest_of, inventory, platform, python_package, scan_of

IMAGE = digest_of("image")
LATER = "2026-07-02T00:00:00Z"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@pytest.fixture
async def scanned(knowledge: Knowledge) -> Knowledge:
    await knowledge.scan(scan_of(platform(inventory(python_package("demo", "1.0")))))
    return knowledge


def merged(result: ImportResult) -> dict[str, int]:
    names = ("added", "updated", "unchanged", "older", "removed", "withdrawn", "skipped")
    return {name: getattr(result, name) for name in names if getattr(result, name)}


async def names_found(knowledge: Knowledge, **wanted: Any) -> list[str]:
    return [finding.vulnerability.name for finding in await knowledge.findings(IMAGE, **wanted)]


async def test_an_import_opens_findings_in_images_scanned_before(scanned: Knowledge) -> None:
    before = await scanned.counter()
    result = await scanned.learn(osv_record("A-1", fixed="1.1", cvss=CRITICAL), osv_record("A-2", fixed="0.9"))
    assert (result.found.opened, result.images_changed) == (1, 1)
    assert await names_found(scanned) == ["A-1"]
    risk = await scanned.risk(IMAGE)
    assert risk.counts.worst is Severity.CRITICAL
    assert risk.revision > before


async def test_importing_the_same_again_changes_nothing(scanned: Knowledge) -> None:
    records = [osv_record("A-1", cvss=CRITICAL), osv_record("B-1", package="other")]
    await scanned.learn(*records)
    counter, risk = await scanned.counter(), await scanned.risk(IMAGE)
    result = await scanned.learn(*records)
    assert merged(result) == {"unchanged": 2}
    assert (result.found.opened, result.found.updated, result.found.closed) == (0, 0, 0)
    assert await scanned.risk(IMAGE) == risk
    assert await scanned.counter() == counter


async def test_the_newer_modified_wins_and_absent_records_stay(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1", modified="2026-07-01T00:00:00Z"), osv_record("A-2"))
    older = osv_record("A-1", modified="2026-06-30T00:00:00Z", fixed="0.1")
    assert merged(await scanned.learn(older)) == {"older": 1}
    assert await names_found(scanned) == ["A-1", "A-2"]
    newer = osv_record("A-1", modified=LATER, fixed="0.1")
    assert merged(await scanned.learn(newer)) == {"updated": 1}
    assert await names_found(scanned) == ["A-2"]
    assert await names_found(scanned, states=frozenset({FindingState.NOT_AFFECTED})) == ["A-1"]


async def test_a_record_that_stands_twice_in_an_import_counts_once(scanned: Knowledge) -> None:
    older, newer = osv_record("A-1", fixed="0.1"), osv_record("A-1", modified=LATER)
    body = zipped(
        {f"{number}.json": json.dumps(record).encode() for number, record in enumerate([older, newer, older])}
    )
    assert merged(await scanned.learn_zip(body)) == {"added": 1, "older": 1}
    assert await names_found(scanned) == ["A-1"]


async def test_withdrawn_closes_and_a_correction_opens_again(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"))
    (first,) = await scanned.findings(IMAGE)
    later = scanned.advance(hours=1)
    result = await scanned.learn(osv_record("A-1", modified=LATER, withdrawn=LATER))
    assert merged(result) == {"updated": 1, "withdrawn": 1}
    assert result.found.closed == 1
    assert await names_found(scanned) == []
    (closed,) = await scanned.findings(IMAGE, states=frozenset({FindingState.NOT_AFFECTED}))
    assert closed.last_detected == later
    assert (await scanned.learn(osv_record("A-1", modified="2026-07-02T06:00:00Z"))).found.opened == 1
    (again,) = await scanned.findings(IMAGE)
    assert again.first_detected == first.first_detected


async def test_a_finding_follows_its_severity_and_fix(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"))
    digest = (await scanned.risk(IMAGE)).risk_digest
    result = await scanned.learn(osv_record("A-1", modified=LATER, fixed="1.1", cvss=CRITICAL))
    assert (result.found.opened, result.found.updated, result.found.closed) == (0, 1, 0)
    (finding,) = await scanned.findings(IMAGE)
    assert (finding.facts.severity, finding.facts.fixed_versions) == (Severity.CRITICAL, ("1.1",))
    risk = await scanned.risk(IMAGE)
    assert risk.fixable_counts == risk.counts
    assert risk.risk_digest != digest


async def test_an_alias_learnt_later_renames_the_finding(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("PYSEC-1", aliases=["GHSA-1"]))
    assert await names_found(scanned) == ["GHSA-1"]
    await scanned.learn(osv_record("GHSA-1", package="else", aliases=["CVE-1"]))
    assert await names_found(scanned) == ["CVE-1"]


async def test_a_rating_from_elsewhere_reaches_the_finding(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1", aliases=["CVE-1"]))
    result = await scanned.learn(osv_record("CVE-1", "npm", "unrelated", cvss=CRITICAL))
    assert result.found.updated == 1
    assert (await scanned.risk(IMAGE)).counts.worst is Severity.CRITICAL


async def test_a_complete_import_removes_what_it_lacks(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"), osv_record("A-2"), osv_record("BOTH-1"))
    await scanned.learn(osv_record("N-1", "npm"))
    result = await scanned.learn(osv_record("A-1"), osv_record("BOTH-1"), complete=True)
    assert merged(result) == {"unchanged": 2, "removed": 1}
    assert result.found.closed == 1
    assert await names_found(scanned) == ["A-1", "BOTH-1"]
    async with scanned.store.read() as unit:
        assert {feed.ecosystem: feed.advisories for feed in (await unit.advisories.feeds()).values()} == {
            "PyPI": 2,
            "npm": 1,
        }


async def test_a_complete_import_of_one_feed_leaves_records_of_others(scanned: Knowledge) -> None:
    both = osv_record("BOTH-1")
    both["affected"] += osv_record("BOTH-1", "npm")["affected"]
    await scanned.learn(both, osv_record("A-1"))
    await scanned.learn(osv_record("A-1"), complete=True, ecosystems=("PyPI",))
    assert await names_found(scanned) == ["A-1", "BOTH-1"]


async def test_a_record_that_can_not_be_read_is_not_thereby_absent(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"), osv_record("A-2"))
    body = zipped({"A-1.json": json.dumps(osv_record("A-1")).encode(), "A-2.json": b"{"})
    assert merged(await scanned.learn_zip(body, complete=True)) == {"unchanged": 1, "skipped": 1}
    assert await names_found(scanned) == ["A-1", "A-2"]


async def test_a_complete_import_that_loses_nearly_all_is_held_back(scanned: Knowledge) -> None:
    await scanned.learn(*(osv_record(f"A-{number}") for number in range(10)))
    with pytest.raises(FeedShrinks, match="9 of the 10 records"):
        await scanned.learn(osv_record("A-0"), osv_record("NEW-1"), complete=True)
    assert len(await names_found(scanned)) == 10
    assert (await scanned.learn(osv_record("A-0"), complete=True, accept_shrink=True)).removed == 9


async def test_a_complete_import_may_not_go_back_in_time(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1", modified=LATER))
    with pytest.raises(FeedGoesBack, match="PyPI"):
        await scanned.learn(osv_record("A-2"), complete=True)
    await scanned.learn(osv_record("A-2"))
    assert await names_found(scanned) == ["A-1", "A-2"]


async def test_a_broken_zip_changes_nothing(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"))
    counter = await scanned.counter()
    with pytest.raises(ArchiveBroken):
        await scanned.learn_zip(zip_of(*(osv_record(f"B-{number}") for number in range(700)))[:-30])
    assert await names_found(scanned) == ["A-1"]
    assert await scanned.counter() == counter


async def test_bad_records_are_named_and_the_rest_counts(scanned: Knowledge) -> None:
    without = {**osv_record("A-2"), "affected": []}
    good = {"A-1.json": json.dumps(osv_record("A-1")).encode(), "A-2.json": json.dumps(without).encode()}
    result = await scanned.learn_zip(zipped({**good, "bad.json": b"no json"}))
    assert merged(result) == {"added": 1, "skipped": 2}
    assert {skipped.name for skipped in result.skipped_records} == {"A-2.json", "bad.json"}
    assert await names_found(scanned) == ["A-1"]


async def test_a_damaged_member_costs_no_more_than_itself(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"), osv_record("A-2"))
    body = bytearray(zip_of(osv_record("A-1", modified=LATER, fixed="0.1"), osv_record("A-2")))
    body[60] ^= 0xFF
    result = await scanned.learn_zip(bytes(body), complete=True, as_of=NOW)
    assert merged(result) == {"unchanged": 1, "skipped": 1}
    assert [skipped.name for skipped in result.skipped_records] == ["A-1.json"]
    assert await names_found(scanned) == ["A-1", "A-2"]


async def test_what_holds_no_record_makes_no_feed_fresh(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"))
    scanned.advance(days=30)
    for body in (zipped({"bad.json": b"no json"}), zipped({})):
        with pytest.raises(FeedEmpty):
            await scanned.learn_zip(body, ecosystems=("PyPI",), as_of=scanned.clock.now())
    assert (await scanned.risk(IMAGE)).state is RiskState.INCOMPLETE


async def test_a_bounded_number_of_bad_records_is_named(scanned: Knowledge) -> None:
    many = {f"bad-{number}.json": b"no json" for number in range(150)}
    result = await scanned.learn_zip(zipped({**many, "A-1.json": json.dumps(osv_record("A-1")).encode()}))
    assert (result.skipped, len(result.skipped_records)) == (150, 100)


async def test_unknown_ecosystems_are_kept_and_counted(scanned: Knowledge) -> None:
    result = await scanned.learn(osv_record("A-1", "Plan9:4"), osv_record("A-2", "Plan9:3"))
    assert result.unknown_ecosystems == {"Plan9": 2}
    assert result.ecosystems == ("Plan9",)


async def test_which_feeds_an_import_is_of(scanned: Knowledge) -> None:
    both = osv_record("BOTH-1")
    both["affected"] += osv_record("BOTH-1", "npm")["affected"]
    assert (await scanned.learn(both, osv_record("A-1"))).ecosystems == ("PyPI",)
    with pytest.raises(FeedUnclear, match="name the ecosystems"):
        await scanned.learn(osv_record("A-2"), osv_record("N-1", "npm"))
    assert (await scanned.learn(osv_record("A-2"), ecosystems=("npm", "PyPI"))).ecosystems == ("npm", "PyPI")


async def test_of_when_an_import_is(scanned: Knowledge) -> None:
    assert (await scanned.learn(osv_record("A-1"), osv_record("A-2", modified=LATER))).as_of == datetime(
        2026, 7, 2, tzinfo=UTC
    )
    stated = NOW - timedelta(hours=3)
    assert (await scanned.learn(osv_record("A-1"), as_of=stated)).as_of == stated
    with pytest.raises(InvalidArgument, match="future"):
        await scanned.learn(osv_record("A-1"), as_of=NOW + timedelta(seconds=1))
    with pytest.raises(FeedUnclear, match="of when"):
        await scanned.learn(osv_record("A-3", modified="2030-01-01T00:00:00Z"))


async def test_a_modified_in_the_future_makes_no_feed_fresh_and_does_not_outlive_its_correction(
    scanned: Knowledge,
) -> None:
    future = osv_record("A-1", modified="2030-01-01T00:00:00Z", fixed="0.1")
    assert (await scanned.learn(future, osv_record("A-2"))).as_of == datetime(2026, 7, 1, tzinfo=UTC)
    scanned.advance(days=2)
    await scanned.learn(osv_record("A-1", modified="2026-07-03T00:00:00Z"))
    assert await names_found(scanned) == ["A-1", "A-2"]


async def test_what_a_wrong_clock_left_does_not_outlive_it(scanned: Knowledge) -> None:
    right = scanned.clock.now()
    scanned.clock.set(right + timedelta(days=4000))
    ahead = osv_record("A-1", modified="2035-01-01T00:00:00Z", fixed="0.1")
    await scanned.learn(ahead, as_of=scanned.clock.now())
    scanned.clock.set(right)
    risk = await scanned.risk(IMAGE)
    assert (risk.state, "a time to come" in risk.reasons[0]) == (RiskState.INCOMPLETE, True)
    result = await scanned.learn(osv_record("A-1", modified=LATER), as_of=right, complete=True)
    assert merged(result) == {"updated": 1}
    assert await names_found(scanned) == ["A-1"]
    assert (await scanned.risk(IMAGE)).state is RiskState.SCANNED


async def test_a_clock_put_back_a_little_harms_nothing(scanned: Knowledge) -> None:
    await scanned.learn(osv_record("A-1"), as_of=scanned.clock.now())
    scanned.clock.set(scanned.clock.now() - timedelta(minutes=4))
    assert (await scanned.risk(IMAGE)).state is RiskState.SCANNED
    assert merged(await scanned.learn(osv_record("A-1"))) == {"unchanged": 1}


async def test_a_full_disk_keeps_what_was_held(scanned: Knowledge, database: Database) -> None:
    await scanned.learn(osv_record("A-1"))
    counter, risk = await scanned.counter(), await scanned.risk(IMAGE)
    many = [osv_record(f"B-{number}") for number in range(1500)]
    async with room_for(database, pages=50):
        with pytest.raises(StorageFull):
            await scanned.learn(*many, as_of=scanned.clock.now())
    assert (await scanned.counter(), await scanned.risk(IMAGE)) == (counter, risk)
    assert (await scanned.learn(*many)).found.opened == 1500


async def test_an_upload_that_the_disk_has_no_room_for_is_refused(
    scanned: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> IO[bytes]:
        return open("/dev/full", "r+b")  # noqa: PTH123  # the importer closes it

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    with pytest.raises(NoRoom, match=r"No space left on device\. Nothing was imported"):
        await scanned.learn(osv_record("A-1"))


async def test_each_change_of_the_level_is_kept_with_its_cause(scanned: Knowledge) -> None:
    result = await scanned.learn(osv_record("A-1", cvss=CRITICAL))
    await scanned.learn(osv_record("A-1", modified=LATER, cvss=CRITICAL, fixed="2"))
    async with scanned.store.read() as unit:
        image = await unit.catalogue.get(REPOSITORY, IMAGE)
        assert image is not None
        changes = await unit.risks.changes_of(image.cursor, 10)
    assert [(change.cause, change.cause_id, change.counts.worst) for change in changes] == [
        (RiskCause.IMPORT, result.import_id, Severity.CRITICAL),
        (RiskCause.SCAN, "scan-1", None),
    ]
