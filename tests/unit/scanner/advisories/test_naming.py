"""Aliases are one vulnerability; a bundle of several is none."""

from hypothesis import given
from hypothesis import strategies as st
from scanner.advisories.naming import Names, vulnerabilities_of


def test_a_cve_names_its_aliases() -> None:
    advisories = [Names("GHSA-a", ("CVE-1",)), Names("PYSEC-1", ("GHSA-a",)), Names("CVE-1")]
    assert set(vulnerabilities_of(advisories).values()) == {("CVE-1",)}


def test_without_a_cve_the_group_has_one_name() -> None:
    advisories = [Names("PYSEC-1", ("GHSA-b",)), Names("OTHER-1", ("PYSEC-1",)), Names("ALONE-1")]
    assert vulnerabilities_of(advisories) == {"PYSEC-1": ("GHSA-b",), "OTHER-1": ("GHSA-b",), "ALONE-1": ("ALONE-1",)}


def test_a_bundle_speaks_of_each_and_merges_none() -> None:
    bundle = Names("DSA-1", (), ("CVE-2", "CVE-1"))
    aliased = Names("GO-1", ("CVE-1", "CVE-2", "GHSA-a"))
    named = vulnerabilities_of([bundle, aliased, Names("GHSA-a", ("CVE-1",)), Names("GHSA-b", ("CVE-2",))])
    assert named == {
        "DSA-1": ("CVE-1", "CVE-2"),
        "GO-1": ("CVE-1", "CVE-2"),
        "GHSA-a": ("CVE-1",),
        "GHSA-b": ("CVE-2",),
    }


def test_an_alias_counts_more_than_what_an_advisory_derives_from() -> None:
    assert vulnerabilities_of([Names("USN-1", ("CVE-9",), ("CVE-1", "CVE-2"))]) == {"USN-1": ("CVE-9",)}


def test_a_regression_update_without_a_cve_is_its_own() -> None:
    assert vulnerabilities_of([Names("DLA-1-2")]) == {"DLA-1-2": ("DLA-1-2",)}


IDS = st.sampled_from(["CVE-1", "CVE-2", "CVE-3", "GHSA-a", "GHSA-b", "X-1", "X-2", "X-3"])


@given(st.dictionaries(IDS, st.tuples(st.lists(IDS, max_size=3), st.lists(IDS, max_size=2)), max_size=6), st.randoms())
def test_the_order_of_advisories_does_not_matter(drawn: dict[str, tuple[list[str], list[str]]], random: object) -> None:
    advisories = [
        Names(name, tuple(alias for alias in aliases if alias != name), tuple(upstream))
        for name, (aliases, upstream) in drawn.items()
    ]
    named = vulnerabilities_of(advisories)
    assert named == vulnerabilities_of(reversed(advisories))
    assert all(named[names.record_id] for names in advisories)
    for names in advisories:
        if names.record_id.startswith("CVE-"):
            assert names.record_id in named[names.record_id]
