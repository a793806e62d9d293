"""Python's order, against the library that defines it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from scanner.versions import InvalidVersion, compare, key

NUMBERS = st.sampled_from(["0", "1", "2", "10", "2019"])
VERSIONS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "1!", "v"]),
        st.lists(NUMBERS, min_size=1, max_size=4).map(".".join),
        st.sampled_from(["", "a1", "b2", "rc1", ".alpha", "-c3"]),
        st.sampled_from(["", ".post1", "-2", ".rev3"]),
        st.sampled_from(["", ".dev0", ".dev7", ".DEV7"]),
        st.sampled_from(["", "+local", "+local.1", "+1", "+10", "+abc.0", "+1.a"]),
    ),
)


@given(VERSIONS, VERSIONS)
def test_the_order_is_that_of_packaging(first: str, second: str) -> None:
    one, other = Version(first), Version(second)
    assert compare("PyPI", first, second) == (one > other) - (one < other)


@given(st.lists(VERSIONS, max_size=8))
def test_keys_sort_as_versions_do(versions: list[str]) -> None:
    by_key = sorted(versions, key=lambda version: key("PyPI", version))
    assert list(map(Version, by_key)) == sorted(map(Version, versions))


LEGACY = st.text(alphabet="abz019.-_!", min_size=1, max_size=10).map(lambda text: "?" + text)


@given(LEGACY, LEGACY, LEGACY)
def test_the_order_of_other_versions_is_total(first: str, second: str, third: str) -> None:
    assert compare("PyPI", first, second) == -compare("PyPI", second, first)
    if compare("PyPI", first, second) <= 0 and compare("PyPI", second, third) <= 0:
        assert compare("PyPI", first, third) <= 0


def test_other_versions_come_before_pep_440() -> None:
    assert compare("PyPI", "2024-final-release", "0.dev0") == -1
    assert compare("PyPI", "1.0-foo", "1.0.0-foo") == 0


@pytest.mark.parametrize("version", ["1.0-foo", "2024a.1.b.c", "not a version", "x" * 300])
def test_other_versions_have_no_key(version: str) -> None:
    with pytest.raises(InvalidVersion):
        key("PyPI", version)


@pytest.mark.parametrize("version", ["", "a b", "ä", "x" * 300])
def test_what_is_no_version_at_all_is_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        compare("PyPI", version, "1.0")
