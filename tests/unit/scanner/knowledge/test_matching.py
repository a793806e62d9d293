"""Which packages of an image are found vulnerable, by which advisories."""

import json
from typing import Any

import pytest
from scanner.inventory.model import Package
from scanner.severity import Severity

from tests.factories.advisories import osv_record
from tests.factories.knowledge import Knowledge
from tests.factories.outcomes import (
    debian,
    debian_package,
    digest_of,
    inventory,
    platform,
    python_package,
    scan_of,
)
from tests.factories.shared_data import SHARED, needs_shared_data

IMAGE = digest_of("image")


async def found_in(knowledge: Knowledge, *packages: Package) -> list[tuple[str, str, tuple[str, ...]]]:
    await knowledge.scan(scan_of(platform(inventory(*packages))))
    found = await knowledge.findings(IMAGE)
    return [(finding.vulnerability.name, finding.package.name, finding.facts.fixed_versions) for finding in found]


async def test_python_names_are_normalised(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("PYSEC-1", "PyPI", "Flask.Login", fixed="2.0"))
    assert await found_in(knowledge, python_package("flask_login", "1.9"), python_package("flasklogin", "1.9")) == [
        ("PYSEC-1", "flask_login", ("2.0",))
    ]


async def test_npm_names_are_not(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("NPM-1", "npm", "@scope/Some.thing", fixed="2.0.0"))
    package = Package("npm", "@scope/Some.thing", "1.0.0", "", "", "", "pkg:npm/x@1.0.0", "sha256:" + "a" * 64, "a")
    other = Package("npm", "@scope/some.thing", "1.0.0", "", "", "", "pkg:npm/y@1.0.0", "sha256:" + "a" * 64, "b")
    assert await found_in(knowledge, package, other) == [("NPM-1", "@scope/Some.thing", ("2.0.0",))]


async def test_debian_is_matched_by_source_package_and_version(knowledge: Knowledge) -> None:
    await knowledge.learn(
        osv_record("DSA-1", "Debian:12", "glibc", fixed="2.36-9+deb12u4"),
        osv_record("DSA-2", "Debian:12", "libc6", fixed="9"),
        ecosystems=("Debian",),
    )
    vulnerable = debian_package("libc6", "2.36-9+b1", source="glibc", source_version="2.36-9")
    fixed = debian_package("libc-bin", "2.36-9+deb12u4+b1", source="glibc", source_version="2.36-9+deb12u4")
    assert await found_in(knowledge, vulnerable, fixed) == [("DSA-1", "libc6", ("2.36-9+deb12u4",))]


async def test_kernel_headers_count(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("DSA-1", "Debian:12", "linux", fixed="6.1.99-1"))
    headers = debian_package("linux-libc-dev", "6.1.90-1", source="linux")
    assert await found_in(knowledge, headers) == [("DSA-1", "linux-libc-dev", ("6.1.99-1",))]


@pytest.mark.parametrize(("ecosystem", "found"), [("Debian:12", True), ("Debian", True), ("Debian:11", False)])
async def test_releases(knowledge: Knowledge, ecosystem: str, found: bool) -> None:
    await knowledge.learn(osv_record("DSA-1", ecosystem, "bash"))
    assert bool(await found_in(knowledge, debian_package("bash", "5.2"))) is found


async def test_a_version_that_is_none_matches_every_advisory_of_its_name_and_says_so(knowledge: Knowledge) -> None:
    await knowledge.learn(
        osv_record("A-1", fixed="1.0"),
        osv_record("A-2", introduced="5.0", fixed="6.0"),
        osv_record("A-3", package="other"),
    )
    await knowledge.scan(scan_of(platform(inventory(python_package("demo", "2024a-custom-build")))))
    found = await knowledge.findings(IMAGE)
    assert [finding.vulnerability.name for finding in found] == ["A-1", "A-2"]
    assert {finding.facts.comparable for finding in found} == {False}


async def test_every_copy_of_a_package_is_a_finding_of_its_own(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("A-1"))
    copies = [python_package(path="a/METADATA"), python_package(path="b/METADATA")]
    risk = await knowledge.scan(scan_of(platform(inventory(*copies))))
    assert [finding.package.path for finding in await knowledge.findings(IMAGE)] == ["a/METADATA", "b/METADATA"]
    assert sum(risk.counts.by_severity) == 2


async def test_advisories_of_one_vulnerability_make_one_finding(knowledge: Knowledge) -> None:
    await knowledge.learn(
        osv_record("PYSEC-1", fixed="1.5", aliases=["CVE-1"]),
        osv_record("GHSA-1", fixed="1.6", aliases=["CVE-1"], cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
    )
    await knowledge.scan(scan_of(platform(inventory(python_package()))))
    (finding,) = await knowledge.findings(IMAGE)
    assert finding.vulnerability.name == "CVE-1"
    assert finding.facts.advisory_ids == ("GHSA-1", "PYSEC-1")
    assert finding.facts.fixed_versions == ("1.6",), "only the last satisfies both"
    assert finding.facts.severity is Severity.CRITICAL
    assert finding.vulnerability.aliases == ("GHSA-1", "PYSEC-1")
    assert finding.vulnerability.links[0].url == "https://www.cve.org/CVERecord?id=CVE-1"


async def test_an_advisory_that_bundles_several_makes_a_finding_of_each(knowledge: Knowledge) -> None:
    await knowledge.learn(osv_record("DSA-1", "Debian:12", "bash", upstream=["CVE-1", "CVE-2"]))
    assert [name for name, _, _ in await found_in(knowledge, debian_package("bash", "5.2"))] == ["CVE-1", "CVE-2"]
    (finding, _) = await knowledge.findings(IMAGE)
    assert finding.vulnerability.aliases == ()


async def test_where_the_vendor_rates_nothing_another_source_counts(knowledge: Knowledge) -> None:
    await knowledge.learn(
        osv_record("DSA-1", "Debian:12", "bash", upstream=["CVE-1"]),
        osv_record("GHSA-1", "npm", "bash", aliases=["CVE-1"], cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
        ecosystems=("Debian",),
    )
    await found_in(knowledge, debian_package("bash", "5.2"))
    assert [finding.facts.severity for finding in await knowledge.findings(IMAGE)] == [Severity.HIGH]


@needs_shared_data
@pytest.mark.parametrize(("name", "release"), [("bullseye-main", "11"), ("bookworm-main", "12")])
@pytest.mark.parametrize("scanned_first", [True, False])
async def test_real_installations(knowledge: Knowledge, name: str, release: str, scanned_first: bool) -> None:
    packages = json.loads((SHARED / "images" / name / "expected-packages.json").read_text())
    found = inventory(*(_package(package, release) for package in packages), distribution=debian(release))
    feed = (SHARED / "osv" / "Debian" / "all.zip").read_bytes()
    if scanned_first:
        await knowledge.scan(scan_of(platform(found)))
    await knowledge.learn_zip(feed)
    if not scanned_first:
        await knowledge.scan(scan_of(platform(found)))
    expected = json.loads((SHARED / "images" / name / "expected-findings.json").read_text())
    wanted = {
        (advisory["advisory"], advisory["package"], vulnerability)
        for advisory in expected
        for vulnerability in advisory["cves"] or [advisory["advisory"]]
    }
    got = {
        (advisory, finding.package.name, finding.vulnerability.name)
        for finding in await knowledge.findings(IMAGE)
        for advisory in finding.facts.advisory_ids
    }
    assert got == wanted


def _package(package: dict[str, Any], release: str) -> Package:
    return debian_package(
        package["package"],
        package["version"],
        source=package["source"],
        source_version=package["source_version"],
        release=release,
    )
