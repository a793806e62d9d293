"""What persons say is in an image: it adds packages, takes none away, and makes nothing look better."""

from collections.abc import AsyncIterator

import pytest
from chassis.errors import PermissionDenied
from chassis.identity import CALLER, Caller
from chassis.tables import audit_entries
from scanner import claiming
from scanner.catalogue import PlatformView
from scanner.claiming import Imported, InventoryImporter, Subject
from scanner.errors import ImageNotFound, ImageNotRead, InventoryTooLarge, PlatformUnclear, TooManyClaims
from scanner.exposure import FindingFilter
from scanner.imports import Importer
from scanner.inventory.model import Evidence, Origin, Package
from scanner.learning import ImportHeader
from scanner.risk.model import RiskCause, RiskState
from scanner.viewing import ImageView, Viewer
from sqlalchemy import select

from tests.factories.advisories import osv_record, zip_of
from tests.factories.documents import cyclonedx, spdx
from tests.factories.images import Image, debian, dpkg_record, image, index, layer, os_release, wheel
from tests.factories.scanning import OPERATOR, Scanning, narrowed, week

PLAN_9 = b'PRETTY_NAME="Plan 9"\nID=plan9\n'
EVIL = "pkg:npm/evil@1.0"


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


async def give(
    bench: Scanning, digest: str, body: bytes, *, replace: bool = False, caller: Caller = OPERATOR
) -> Imported:
    CALLER.set(caller)
    importer = InventoryImporter(bench.store, bench.workers, bench.clock, week)
    return await importer.run(caller, Subject(bench.repository(), digest, replace), pieces(body))


async def learn(bench: Scanning) -> None:
    """Know a flaw of the npm package evil, and have a feed of Debian."""
    CALLER.set(OPERATOR)
    importer = Importer(bench.store, bench.workers, bench.clock, week)
    for record in (osv_record("GHSA-1", "npm", "evil", fixed="2.0"), osv_record("DSA-1", "Debian:12", "other")):
        await importer.run(ImportHeader(), pieces(zip_of(record)))


async def packages(bench: Scanning, digest: str) -> list[Package]:
    async with bench.store.read() as unit:
        stored = await unit.inventories.newest(bench.repository(), digest)
        assert stored is not None
        return list(await unit.inventories.every_package(stored.package_set))


async def names(bench: Scanning, digest: str) -> set[tuple[str, str, Evidence]]:
    return {(one.name, one.version, one.evidence) for one in await packages(bench, digest)}


async def view(bench: Scanning, digest: str) -> ImageView:
    return await Viewer(bench.store, bench.clock, week).image(OPERATOR, bench.repository(), digest)


async def platform(bench: Scanning, digest: str) -> PlatformView:
    (found,) = (await view(bench, digest)).platforms
    return found


async def scanned(bench: Scanning, made: Image) -> str:
    await bench.scan(made)
    return made.digest


BASH = ("bash", "5.2.15-2+b2", Evidence.DATABASE)
CLAIMED = ("evil", "1.0", Evidence.CLAIM)


@pytest.mark.parametrize("body", [cyclonedx(EVIL), spdx(EVIL)])
async def test_a_claimed_package_is_matched_like_any_other(bench: Scanning, body: bytes) -> None:
    await learn(bench)
    digest = await scanned(bench, debian())
    result = await give(bench, digest, body)
    assert (result.digest, result.added, len(result.claim.packages)) == (digest, 1, 1)
    assert await names(bench, digest) == {BASH, CLAIMED}
    risk = await bench.risk(digest)
    assert (risk.state, sum(risk.counts.by_severity)) == (RiskState.SCANNED, 1)
    viewer = Viewer(bench.store, bench.clock, week)
    (finding,) = (await viewer.findings(OPERATOR, (bench.repository(), digest), FindingFilter(), "", None, 9)).records
    assert (finding.package.evidence, finding.package.path) == (Evidence.CLAIM, result.claim.document)
    change = (await view(bench, digest)).changes[0]
    assert (change.cause, change.cause_id) == (RiskCause.CLAIM, result.claim.document)


async def test_a_claim_adds_and_never_takes_away(bench: Scanning) -> None:
    digest = await scanned(bench, debian(more=[wheel("demo", "1.0")]))
    before = await names(bench, digest)
    result = await give(bench, digest, cyclonedx("pkg:pypi/Demo@1.0", "pkg:deb/debian/bash@5.2.15-2%2Bb2"))
    assert (len(result.claim.packages), result.added) == (2, 0)
    assert await names(bench, digest) == before
    await give(bench, digest, cyclonedx())
    assert await names(bench, digest) == before


async def test_what_was_given_outlives_a_scan(bench: Scanning) -> None:
    made = debian()
    digest = await scanned(bench, made)
    await give(bench, digest, cyclonedx(EVIL))
    before = await packages(bench, digest)
    await bench.scan(made, force=True)
    assert await packages(bench, digest) == before
    (claim,) = (await platform(bench, digest)).details.claims
    assert (claim.origin, claim.packages) == (Origin.GIVEN, 1)


async def test_the_same_document_again_changes_nothing(bench: Scanning) -> None:
    digest = await scanned(bench, debian())
    for _ in range(2):
        assert (await give(bench, digest, cyclonedx(EVIL))).added == 1
    assert len((await platform(bench, digest)).details.claims) == 1
    assert await names(bench, digest) == {BASH, CLAIMED}


async def test_a_document_in_the_place_of_all_before(bench: Scanning) -> None:
    await learn(bench)
    made = debian()
    digest = await scanned(bench, made)
    await give(bench, digest, cyclonedx(EVIL, "pkg:gem/rails@7.0"))
    assert "RubyGems" in (await bench.risk(digest)).feed_set
    await give(bench, digest, cyclonedx("pkg:npm/good@1.0"), replace=True)
    assert await names(bench, digest) == {BASH, ("good", "1.0", Evidence.CLAIM)}
    risk = await bench.risk(digest)
    assert (risk.feed_set, sum(risk.counts.by_severity)) == ("Debian:12+npm", 0)
    await bench.scan(made, force=True)
    assert await names(bench, digest) == {BASH, ("good", "1.0", Evidence.CLAIM)}


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (image(layer(os_release(), wheel("demo", "1.0"))), RiskState.INCOMPLETE),
        (image(layer(os_release(PLAN_9), wheel("demo", "1.0"))), RiskState.UNSUPPORTED),
        (image(layer(wheel("broken", ""))), RiskState.UNSUPPORTED),
    ],
)
async def test_a_claim_makes_nothing_look_better(bench: Scanning, made: Image, state: RiskState) -> None:
    digest = await scanned(bench, made)
    before = await bench.risk(digest)
    assert before.state is state
    body = cyclonedx("pkg:deb/debian/bash@5.2?distro=debian-12", EVIL)
    await give(bench, digest, body)
    for _ in range(2):
        after = await bench.risk(digest)
        assert (after.state, after.reasons) == (before.state, before.reasons)
        await bench.scan(made, force=True)


async def test_a_platform_of_an_index_and_the_index_with_it(bench: Scanning) -> None:
    await learn(bench)
    arm = image(layer(wheel("arm", "1.0")), platform="linux/arm64")
    both = index(image(layer(wheel("amd", "1.0"))), arm)
    await bench.scan(both)
    with pytest.raises(PlatformUnclear, match=f"linux/arm64 .{arm.digest}"):
        await give(bench, both.digest, cyclonedx(EVIL))
    await give(bench, arm.digest, cyclonedx(EVIL))
    risk = await bench.risk(both.digest)
    assert (risk.feed_set, sum(risk.counts.by_severity)) == ("PyPI+npm", 1)
    alone = index(image(layer(wheel("only", "1.0"))))
    await bench.scan(alone)
    assert (await give(bench, alone.digest, cyclonedx(EVIL))).digest == alone.children[0].digest


async def test_only_about_images_that_were_read(bench: Scanning) -> None:
    with pytest.raises(ImageNotFound):
        await give(bench, debian().digest, cyclonedx(EVIL))
    asked = bench.push(debian())
    await bench.ask(asked)
    with pytest.raises(ImageNotRead):
        await give(bench, asked, cyclonedx(EVIL))


async def test_within_the_binding_and_the_bounds(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = await scanned(bench, debian())
    with pytest.raises(PermissionDenied):
        await give(bench, digest, cyclonedx(EVIL), caller=narrowed("operator", "elsewhere.example.com/**"))
    monkeypatch.setattr(claiming, "MOST_CLAIMS", 2)
    for number in (1, 2):
        await give(bench, digest, cyclonedx(f"pkg:npm/a@{number}"))
    with pytest.raises(TooManyClaims):
        await give(bench, digest, cyclonedx("pkg:npm/a@3"))
    await give(bench, digest, cyclonedx("pkg:npm/a@2"))
    await give(bench, digest, cyclonedx("pkg:npm/a@3"), replace=True)
    monkeypatch.setattr(claiming, "LARGEST", 10)
    with pytest.raises(InventoryTooLarge):
        await give(bench, digest, cyclonedx(EVIL))


async def test_an_import_is_audited(bench: Scanning) -> None:
    digest = await scanned(bench, debian(dpkg_record("bash", "5.2")))
    result = await give(bench, digest, cyclonedx(EVIL, "pkg:oci/app@1"))
    assert result.claim.left_out == {"No ecosystem is known for package URLs of the type oci.": 1}
    async with bench.database.read() as session:
        entries = (await session.execute(select(audit_entries.c.action, audit_entries.c.subject))).all()
    assert [tuple(entry) for entry in entries] == [("inventories.import", f"{bench.repository()}@{digest}")]
