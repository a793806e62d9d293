"""What callers see in lists, and what their bindings hide from them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from chassis.errors import PermissionDenied
from chassis.identity import Caller, Scope
from scanner.catalogue import ImageFilter
from scanner.errors import ImageNotFound, VulnerabilityNotFound
from scanner.exposure import FindingFilter, FixState, VulnerabilityFilter
from scanner.inventory.model import LayerOrigin
from scanner.risk.model import RiskState
from scanner.severity import Severity
from scanner.viewing import Viewer
from scanner.wire import findings as wire

from tests.factories.advisories import osv_record
from tests.factories.knowledge import OPERATOR, Knowledge
from tests.factories.outcomes import REPOSITORY, digest_of, inventory, platform, python_package, scan_of

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
LOW = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"
TEAM_A = Caller("example.org", "developer", "anna", frozenset(), Scope(repositories=("reg.example.com/a/**",)))


@pytest.fixture
async def viewer(knowledge: Knowledge) -> Viewer:
    """Two repositories: an index with a vulnerable and a clean platform, and two manifests, one of them clean."""
    await knowledge.learn(
        osv_record("GHSA-1", fixed="2.0", aliases=["CVE-1"], cvss=CRITICAL),
        osv_record("PYSEC-2", package="other", cvss=LOW),
        osv_record("PYSEC-3", package="unused", cvss=CRITICAL),
    )
    vulnerable = inventory(python_package("demo"), python_package("other"))
    clean = inventory(python_package("demo", "2.0"))
    amd64, arm64 = platform(vulnerable, "amd64", "linux/amd64"), platform(clean, "arm64", "linux/arm64")
    team_a, team_b = "reg.example.com/a/web", "reg.example.com/b/job"
    await knowledge.scan(scan_of(amd64, arm64, repository=team_a, digest=digest_of("index"), tag="v1"))
    await knowledge.scan(scan_of(platform(inventory(python_package("other")), "low"), repository=team_b, tag="v1"))
    await knowledge.scan(scan_of(platform(clean, "clean"), repository=team_b, tag="v2"))
    return knowledge.viewer


async def images_of(viewer: Viewer, caller: Caller = OPERATOR, vulnerability: str = "", **wanted: object) -> list[str]:
    listed, _ = await viewer.images(caller, ImageFilter(**wanted), "", vulnerability, None, 100)  # type: ignore[arg-type]
    return [image.digest for image in listed.records]


def digests(*names: str) -> list[str]:
    return [digest_of(name) for name in names]


async def test_images_the_last_recorded_first_without_platforms_of_an_index(viewer: Viewer) -> None:
    assert await images_of(viewer) == digests("clean", "low", "index")


async def test_images_by_condition(viewer: Viewer) -> None:
    assert await images_of(viewer, vulnerability="CVE-1") == digests("index")
    assert await images_of(viewer, vulnerability="GHSA-1") == digests("index"), "by an alias"
    assert await images_of(viewer, vulnerability="PYSEC-2") == digests("low", "index")
    assert await images_of(viewer, vulnerability="CVE-404") == []
    assert await images_of(viewer, package="Demo") == digests("clean", "index"), "as Python spells it"
    assert await images_of(viewer, worst_severities=frozenset({Severity.LOW})) == digests("low")
    assert await images_of(viewer, states=frozenset({RiskState.FAILED})) == []
    critical = frozenset({Severity.CRITICAL})
    assert await images_of(viewer, package="demo", worst_severities=critical) == digests("index")


async def test_images_page_by_page(viewer: Viewer) -> None:
    before, seen = None, []
    for more in (True, True, False):
        listed, _ = await viewer.images(OPERATOR, ImageFilter(), "", "", before, 1)
        assert listed.more is more
        seen += [image.digest for image in listed.records]
        before = listed.records[-1].cursor
    assert seen == digests("clean", "low", "index")


async def test_an_image_shows_tags_platforms_and_layers(viewer: Viewer) -> None:
    view = await viewer.image(OPERATOR, "reg.example.com/a/web", digest_of("index"))
    assert view.image.tags == ("v1",)
    assert view.image.platforms == ("linux/amd64", "linux/arm64")
    assert [(one.digest, dict(one.details.packages)) for one in view.platforms] == [
        (digest_of("amd64"), {"PyPI": 2}),
        (digest_of("arm64"), {"PyPI": 1}),
    ]
    assert len(view.changes) == 1
    single = await viewer.image(OPERATOR, "reg.example.com/b/job", digest_of("low"))
    assert single.image.platforms == ("linux/amd64",)
    with pytest.raises(ImageNotFound):
        await viewer.image(OPERATOR, REPOSITORY, digest_of("index"))


async def test_a_moved_tag_is_of_its_newest_image(viewer: Viewer, knowledge: Knowledge) -> None:
    moved = scan_of(platform(inventory(python_package("demo")), "new"), repository="reg.example.com/a/web", tag="v1")
    await knowledge.scan(moved)
    old = await viewer.image(OPERATOR, "reg.example.com/a/web", digest_of("index"))
    new = await viewer.image(OPERATOR, "reg.example.com/a/web", digest_of("new"))
    assert (old.image.tags, new.image.tags) == ((), ("v1",))


async def test_repositories(viewer: Viewer) -> None:
    listed = await viewer.repositories(OPERATOR, "", 10)
    assert [(one.name, one.images, one.worst) for one in listed.records] == [
        ("reg.example.com/a/web", 1, Severity.CRITICAL),
        ("reg.example.com/b/job", 2, Severity.LOW),
    ]
    first = await viewer.repositories(OPERATOR, "", 1)
    assert first.more
    second = await viewer.repositories(OPERATOR, first.records[0].name, 1)
    assert [one.name for one in second.records] == ["reg.example.com/b/job"]


async def findings_of(viewer: Viewer, vulnerability: str = "", **wanted: object) -> Sequence[tuple[str, str]]:
    image = ("reg.example.com/a/web", digest_of("index"))
    listed = await viewer.findings(OPERATOR, image, FindingFilter(**wanted), vulnerability, None, 100)  # type: ignore[arg-type]
    return [(finding.vulnerability.name, finding.platform) for finding in listed.records]


async def test_findings_the_worst_first(viewer: Viewer) -> None:
    assert await findings_of(viewer) == [("CVE-1", "linux/amd64"), ("PYSEC-2", "linux/amd64")]
    assert await findings_of(viewer, vulnerability="GHSA-1") == [("CVE-1", "linux/amd64")]
    assert await findings_of(viewer, package="other") == [("PYSEC-2", "linux/amd64")]
    assert await findings_of(viewer, severities=frozenset({Severity.LOW})) == [("PYSEC-2", "linux/amd64")]
    assert await findings_of(viewer, fix_state=FixState.FIXED_IN) == [("CVE-1", "linux/amd64")]
    assert await findings_of(viewer, fix_state=FixState.NOT_FIXED) == [("PYSEC-2", "linux/amd64")]


async def test_findings_page_by_page(viewer: Viewer) -> None:
    image = ("reg.example.com/a/web", digest_of("index"))
    first = await viewer.findings(OPERATOR, image, FindingFilter(), "", None, 1)
    second = await viewer.findings(OPERATOR, image, FindingFilter(), "", first.records[-1].cursor, 1)
    assert [first.more, second.more] == [True, False]
    assert second.records[0].vulnerability.name == "PYSEC-2"


async def test_vulnerabilities_with_their_images(viewer: Viewer) -> None:
    listed = await viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), "", None, 10)
    assert [(one.vulnerability.name, one.severity, one.images) for _, one in listed.records] == [
        ("CVE-1", Severity.CRITICAL, 1),
        ("PYSEC-2", Severity.LOW, 2),
    ]
    in_job = await viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), "reg.example.com/b/job", None, 10)
    assert [(one.vulnerability.name, one.images) for _, one in in_job.records] == [("PYSEC-2", 1)]
    first = await viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), "", None, 1)
    second = await viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), "", first.records[0][0], 1)
    assert [one.vulnerability.name for _, one in second.records] == ["PYSEC-2"]


async def test_a_vulnerability_by_any_of_its_names(viewer: Viewer) -> None:
    by_name, by_alias = await viewer.vulnerability(OPERATOR, "CVE-1"), await viewer.vulnerability(OPERATOR, "GHSA-1")
    assert by_name == by_alias
    shown = by_name.vulnerability
    assert (shown.title, shown.description) == ("A flaw of demo", "**demo** does what it should not.")
    assert [link.url for link in shown.links] == [
        "https://www.cve.org/CVERecord?id=CVE-1",
        "https://example.com/GHSA-1",
    ]
    assert [(rating.source, rating.score) for rating in shown.ratings] == [("GHSA-1", 9.8)]
    unused = await viewer.vulnerability(OPERATOR, "PYSEC-3")
    assert (unused.severity, unused.images) == (Severity.CRITICAL, 0)
    with pytest.raises(VulnerabilityNotFound):
        await viewer.vulnerability(OPERATOR, "CVE-404")


async def test_an_advisory_of_several_names_them(viewer: Viewer, knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("DSA-1", "Debian:12", "bash", upstream=["CVE-8", "CVE-9"]))
    with pytest.raises(VulnerabilityNotFound, match="CVE-8, CVE-9"):
        await viewer.vulnerability(OPERATOR, "DSA-1")


async def test_a_binding_hides_what_it_does_not_cover(viewer: Viewer) -> None:
    assert [one.name for one in (await viewer.repositories(TEAM_A, "", 10)).records] == ["reg.example.com/a/web"]
    assert await images_of(viewer, TEAM_A) == digests("index")
    seen = await viewer.vulnerabilities(TEAM_A, VulnerabilityFilter(), "", None, 10)
    assert [(one.vulnerability.name, one.images) for _, one in seen.records] == [("CVE-1", 1), ("PYSEC-2", 1)]
    assert (await viewer.vulnerability(TEAM_A, "PYSEC-2")).images == 1
    other = ("reg.example.com/b/job", digest_of("low"))
    with pytest.raises(PermissionDenied):
        await viewer.risks(TEAM_A, [other])
    with pytest.raises(PermissionDenied):
        await viewer.image(TEAM_A, *other)
    with pytest.raises(PermissionDenied):
        await viewer.findings(TEAM_A, other, FindingFilter(), "", None, 10)
    with pytest.raises(PermissionDenied):
        await viewer.images(TEAM_A, ImageFilter(), other[0], "", None, 10)


async def test_feeds(viewer: Viewer, knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("DSA-1", "Debian:12", "bash", modified="2026-06-20T00:00:00Z"))
    listed = await viewer.feeds("", 10)
    assert [(one.feed.ecosystem, one.too_old, one.feed.advisories, one.feed.releases) for one in listed.records] == [
        ("Debian", True, 1, ("Debian:12",)),
        ("PyPI", False, 3, ("PyPI",)),
    ]
    assert [one.feed.ecosystem for one in (await viewer.feeds("Debian", 10)).records] == ["PyPI"]


async def test_a_finding_tells_where_its_layer_comes_from(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("PYSEC-9", cvss=LOW))
    origin = LayerOrigin("RUN pip install demo", "python:3", base_claimed=True)
    made = platform(inventory(python_package("demo")), "made")
    await knowledge.scan(
        scan_of(replace(made, origins=(origin,)), platform(made.inventory, "older"), digest=digest_of("both"))
    )
    found = {finding.digest: finding for finding in await knowledge.findings(digest_of("both"))}
    assert found[digest_of("made")].origin == origin
    assert found[digest_of("older")].origin == LayerOrigin()
    shown = wire.finding(found[digest_of("made")]).layer_origin
    assert (shown.created_by, shown.base_image, shown.base_claimed) == ("RUN pip install demo", "python:3", True)
