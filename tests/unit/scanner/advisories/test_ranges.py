"""OSV's rules of evaluation, as intervals; the specification's own algorithm is the counterpart."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.advisories.osv import Affected
from scanner.advisories.ranges import intervals_of
from scanner.versions import key


def affected(**fields: Any) -> Affected:
    return msgspec.convert(fields, Affected)


def semver(*events: dict[str, str], versions: tuple[str, ...] = ()) -> Affected:
    return affected(ranges=[{"type": "SEMVER", "events": events}], versions=versions)


def is_affected(version: str, entry: Affected, ecosystem: str = "npm") -> bool:
    return any(interval.holds(key(ecosystem, version)) for interval in intervals_of(ecosystem, entry))


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}, {"fixed": "1.2.0"}], ["0.0.0-0", "1.1.9", "1.2.0-rc.1"], ["1.2.0", "2.0.0"]),
        ([{"introduced": "1.0.0"}, {"last_affected": "1.2.0"}], ["1.0.0", "1.2.0", "1.2.0+x"], ["0.9.0", "1.2.1-0"]),
        ([{"introduced": "1.0.0"}], ["1.0.0", "99.0.0"], ["0.9.9", "1.0.0-rc.1"]),
        ([{"fixed": "2.0.0"}, {"introduced": "1.0.0"}], ["1.0.0", "1.9.0"], ["0.9.0", "2.0.0"]),
        (
            [{"introduced": "3.0.0"}, {"fixed": "1.1.0"}, {"introduced": "1.0.0"}, {"fixed": "3.1.0"}],
            ["1.0.5", "3.0.5"],
            ["2.0.0", "3.1.0"],
        ),
        ([{"introduced": "0"}, {"limit": "2.0.0"}], ["1.9.9"], ["2.0.0", "3.0.0"]),
        ([{"introduced": "0"}, {"limit": "1.0.0"}, {"limit": "2.0.0"}], ["1.9.9"], ["2.0.0"]),
        ([{"introduced": "0"}, {"limit": "1.0.0"}, {"limit": "*"}], ["9.0.0"], []),
        ([{"introduced": "0"}, {"introduced": "1.0.0"}, {"fixed": "2.0.0"}], ["0.1.0", "1.5.0"], ["2.0.0"]),
        ([{"introduced": "1.0.0"}, {"fixed": "2.0.0"}, {"fixed": "1.5.0"}], ["1.4.0"], ["1.6.0", "2.0.0"]),
        ([{"introduced": "1.0.0"}, {"last_affected": "1.0.0"}], ["1.0.0"], ["0.9.0", "1.0.1"]),
    ],
)
def test_one_range(events: list[dict[str, str]], inside: list[str], outside: list[str]) -> None:
    entry = semver(*events)
    assert [version for version in inside if not is_affected(version, entry)] == []
    assert [version for version in outside if is_affected(version, entry)] == []


def test_ranges_and_listed_versions_add_up() -> None:
    entry = affected(
        ranges=[
            {"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.1"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"fixed": "2.1"}]},
        ],
        versions=["1.0.5", "3.0", "not-a-version-of-pep-440"],
    )
    found = [
        version
        for version in ("1.0", "1.1", "2.0.post1", "2.1", "3.0.0", "3.0.1")
        if is_affected(version, entry, "PyPI")
    ]
    assert found == ["1.0", "2.0.post1", "3.0.0"]
    assert len(intervals_of("PyPI", entry)) == 3, "a listed version inside a range needs no interval of its own"


def test_commits_say_nothing_about_versions() -> None:
    entry = affected(ranges=[{"type": "GIT", "events": [{"introduced": "0"}]}], versions=["1.0"])
    assert is_affected("1.0", entry)
    assert not is_affected("1.1", entry)


def test_the_fixed_version_is_that_of_the_interval() -> None:
    entry = semver({"introduced": "0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.3.0"})
    assert [interval.fixed for interval in intervals_of("npm", entry)] == ["1.2.0", None]


@pytest.mark.parametrize(
    "events",
    [
        [{"introduced": "0"}, {"fixed": "what?"}],
        [{"introduced": "what?"}],
        [{"introduced": "0"}, {"limit": "what?"}],
        [{"introduced": "what?"}, {"last_affected": "what?"}],
    ],
)
def test_a_bound_that_is_no_version_never_hides_anything(events: list[dict[str, str]]) -> None:
    assert is_affected("1.0.0", semver(*events))
    assert [interval.comparable for interval in intervals_of("npm", semver(*events))] == [False]


def test_what_can_not_be_compared_still_stands_for_its_package() -> None:
    nothing = intervals_of("PyPI", affected(versions=["what?"]))
    assert len(nothing) == 1
    assert not is_affected("0", affected(versions=["what?"]), "PyPI")


VERSIONS = st.integers(0, 6).map(lambda number: f"{number}.0.0")
EVENTS = st.lists(st.tuples(st.sampled_from(["introduced", "fixed", "last_affected", "limit"]), VERSIONS), max_size=6)


@given(EVENTS, VERSIONS)
def test_the_algorithm_of_the_specification(events: list[tuple[str, str]], version: str) -> None:
    entry = semver(*({kind: at} for kind, at in events))
    limits = [key("npm", at) for kind, at in events if kind == "limit"]
    wanted = key("npm", version)
    vulnerable = False
    for kind, at in sorted((event for event in events if event[0] != "limit"), key=lambda event: _place(*event)):
        if kind == "introduced" and wanted >= key("npm", at):
            vulnerable = True
        if (kind == "fixed" and wanted >= key("npm", at)) or (kind == "last_affected" and wanted > key("npm", at)):
            vulnerable = False
    expected = vulnerable and (not limits or any(wanted < limit for limit in limits))
    assert is_affected(version, entry) == expected


def _place(kind: str, at: str) -> tuple[bytes, bool]:
    return key("npm", at), kind == "last_affected"
