"""The states of an image's risk, and how those of an index follow from its platforms."""

from dataclasses import replace

from scanner import images
from scanner.inventory.model import Distribution, Unreadable
from scanner.risk.model import RiskState
from scanner.severity import Severity

from tests.factories.advisories import osv_record
from tests.factories.knowledge import Knowledge
from tests.factories.outcomes import (
    LAYER,
    REPOSITORY,
    debian,
    debian_package,
    digest_of,
    inventory,
    platform,
    python_package,
    scan_of,
)

IMAGE, INDEX = digest_of("image"), digest_of("index")
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
LOW = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


async def state(knowledge: Knowledge, digest: str = IMAGE) -> tuple[RiskState, tuple[str, ...]]:
    risk = await knowledge.risk(digest)
    return risk.state, risk.reasons


async def test_an_unknown_image_is_not_scanned(knowledge: Knowledge) -> None:
    assert await state(knowledge) == (RiskState.NOT_SCANNED, ())


async def test_scanning_and_failed_only_while_there_is_no_inventory(knowledge: Knowledge) -> None:
    async with knowledge.store.begin() as unit:
        await images.record_scanning(unit, REPOSITORY, IMAGE, "scan-1")
    assert await state(knowledge) == (RiskState.SCANNING, ())
    async with knowledge.store.begin() as unit:
        await images.record_failure(unit, REPOSITORY, IMAGE, "scan-1", "The registry is silent.")
    assert await state(knowledge) == (RiskState.FAILED, ("The registry is silent.",))
    await knowledge.learn(osv_record("A-1"))
    scanned = await knowledge.scan(scan_of(platform(inventory(python_package())), scan_id="scan-2"))
    async with knowledge.store.begin() as unit:
        await images.record_scanning(unit, REPOSITORY, IMAGE, "scan-3")
        await images.record_failure(unit, REPOSITORY, IMAGE, "scan-3", "The registry is silent.")
    assert await knowledge.risk(IMAGE) == scanned
    assert (scanned.state, scanned.scan_id) == (RiskState.SCANNED, "scan-2")


async def test_a_feed_never_imported_makes_an_image_incomplete(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(
        scan_of(platform(inventory(python_package(), debian_package("bash", "5"), distribution=debian())))
    )
    assert await state(knowledge) == (
        RiskState.INCOMPLETE,
        ("The advisories of Debian:12 were never imported.",),
    )
    risk, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert feeds is not None
    assert (feeds.name, feeds.as_of, feeds.too_old) == ("Debian:12+PyPI", None, True)
    assert sum(risk.counts.by_severity) == 1, "what can be compared is compared"


async def test_a_feed_that_says_nothing_of_the_release_makes_an_image_incomplete(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("DSA-1", "Debian:12", "bash"))
    await knowledge.scan(
        scan_of(platform(inventory(debian_package("bash", "5", release="14"), distribution=debian("14"))))
    )
    assert await state(knowledge) == (
        RiskState.INCOMPLETE,
        ("The advisories imported for Debian say nothing of Debian:14.",),
    )


async def test_a_distribution_needs_its_feed_though_it_has_no_package(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package(), distribution=debian()))))
    assert (await state(knowledge))[0] is RiskState.INCOMPLETE


async def test_packages_that_are_not_compared_are_never_clean_whatever_was_imported(knowledge: Knowledge) -> None:
    module = replace(python_package("example.com/m", "1.0.0"), ecosystem="Go", purl="pkg:golang/example.com/m@1.0.0")
    await knowledge.learn(osv_record("GO-1", "Go"), ecosystems=("Go",))
    await knowledge.scan(scan_of(platform(inventory(module))))
    assert await state(knowledge) == (
        RiskState.INCOMPLETE,
        ("Packages of Go are listed, but not compared with advisories.",),
    )


async def test_a_feed_grows_too_old_and_a_new_import_makes_it_fresh(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    knowledge.advance(days=5)
    assert (await state(knowledge))[0] is RiskState.SCANNED
    now = knowledge.advance(days=2)
    assert await state(knowledge) == (
        RiskState.INCOMPLETE,
        ("The advisories of PyPI are of 2026-07-01 00:00 UTC, older than 7 days.",),
    )
    await knowledge.learn(osv_record("A-1"), as_of=now)
    assert await state(knowledge) == (RiskState.SCANNED, ())
    _, feeds = await knowledge.risk_and_feeds(IMAGE)
    assert feeds is not None
    assert feeds.as_of == now


async def test_gaps_and_unsupported(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    gap = "Debian 12 without a package database."
    await knowledge.scan(scan_of(platform(inventory(python_package(), gaps=(gap,)))))
    assert await state(knowledge) == (RiskState.INCOMPLETE, (gap,))
    unknown = "Plan 9 is no distribution that the scanner knows."
    plan9 = Distribution("plan9", "4", "Plan 9", None)
    await knowledge.scan(scan_of(platform(inventory(python_package(), distribution=plan9, unsupported=unknown))))
    assert await state(knowledge) == (RiskState.UNSUPPORTED, (unknown,))
    await knowledge.scan(scan_of(platform(inventory())))
    assert (await state(knowledge))[0] is RiskState.UNSUPPORTED, "an image without anything known is never clean"


async def test_unreadable_parts_are_counted(knowledge: Knowledge) -> None:
    broken = tuple(Unreadable(LAYER, f"{number}/METADATA", "It has no version.") for number in range(150))
    risk = await knowledge.scan(scan_of(platform(inventory(python_package(), unreadable=broken))))
    assert risk.unreadable == 150
    async with knowledge.store.read() as unit:
        image = await unit.catalogue.get(REPOSITORY, IMAGE)
        assert image is not None
        (shown,) = await unit.catalogue.platforms(image.cursor)
    assert shown.details.unreadable == broken[:20]


async def test_the_risk_digest_follows_what_is_open(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1", cvss=LOW))
    first = await knowledge.scan(scan_of(platform(inventory(python_package()), "one")))
    same = await knowledge.scan(scan_of(platform(inventory(python_package(path="elsewhere")), "two")))
    other = await knowledge.scan(scan_of(platform(inventory(python_package(version="1.1")), "three")))
    assert first.risk_digest == same.risk_digest != other.risk_digest
    await knowledge.learn(osv_record("A-1", cvss=CRITICAL, modified="2026-07-02T00:00:00Z"))
    assert (await knowledge.risk(digest_of("one"))).risk_digest != first.risk_digest


async def test_an_index_is_the_worst_of_its_platforms(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1", cvss=CRITICAL, fixed="2"), osv_record("A-2", package="other", cvss=LOW))
    amd64 = platform(inventory(python_package()), "amd64", "linux/amd64")
    arm64 = platform(inventory(python_package("other"), gaps=("A gap.",)), "arm64", "linux/arm64")
    risk = await knowledge.scan(scan_of(amd64, arm64, digest=INDEX))
    assert (risk.state, risk.reasons) == (RiskState.INCOMPLETE, ("linux/arm64: A gap.",))
    assert risk.counts.by_severity == (1, 0, 0, 1, 0, 0)
    assert risk.fixable_counts.by_severity == (1, 0, 0, 0, 0, 0)
    assert [(one.platform, one.digest, one.state, one.worst) for one in risk.platforms] == [
        ("linux/amd64", digest_of("amd64"), RiskState.SCANNED, Severity.CRITICAL),
        ("linux/arm64", digest_of("arm64"), RiskState.INCOMPLETE, Severity.LOW),
    ]
    assert (await knowledge.risk(digest_of("amd64"))).state is RiskState.SCANNED
    await knowledge.learn(osv_record("A-1", cvss=CRITICAL, fixed="0.5", modified="2026-07-02T00:00:00Z"))
    after = await knowledge.risk(INDEX)
    assert after.counts.worst is Severity.LOW
    assert after.risk_digest != risk.risk_digest


async def test_a_platform_scanned_by_itself_changes_its_index(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()), "amd64"), digest=INDEX))
    await knowledge.scan(scan_of(platform(inventory(python_package(), gaps=("A gap.",)), "amd64"), scan_id="scan-2"))
    assert (await state(knowledge, INDEX))[0] is RiskState.INCOMPLETE


async def test_the_age_of_one_platforms_feed_counts_for_it_and_the_index(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    amd64 = platform(inventory(python_package()), "amd64", "linux/amd64")
    arm64 = platform(inventory(debian_package("bash", "5")), "arm64", "linux/arm64")
    await knowledge.scan(scan_of(amd64, arm64, digest=INDEX))
    risk = await knowledge.risk(INDEX)
    assert [one.state for one in risk.platforms] == [RiskState.SCANNED, RiskState.INCOMPLETE]
    assert risk.state is RiskState.INCOMPLETE


async def test_a_missing_platform_and_an_empty_index(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    missing = ("linux/s390x is not of the target's platforms.",)
    await knowledge.scan(scan_of(platform(inventory(python_package())), digest=INDEX, missing=missing))
    assert await state(knowledge, INDEX) == (RiskState.INCOMPLETE, missing)
    assert (await state(knowledge, IMAGE))[0] is RiskState.SCANNED
    await knowledge.scan(scan_of(digest=digest_of("empty")))
    assert (await state(knowledge, digest_of("empty")))[0] is RiskState.UNSUPPORTED


async def test_the_same_digest_in_two_repositories_has_two_risks(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    assert (await knowledge.risk(IMAGE, "reg.example.com/other")).state is RiskState.NOT_SCANNED


async def test_scanning_again_changes_nothing_without_news(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    outcome = scan_of(platform(inventory(python_package())))
    first = await knowledge.scan(outcome)
    counter = await knowledge.counter()
    assert await knowledge.scan(outcome) == first
    assert await knowledge.counter() == counter
