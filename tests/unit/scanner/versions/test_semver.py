"""The order of semantic versions, and what no ecosystem knows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.versions import InvalidVersion, UnknownEcosystem, compare, is_known, key

SECTION_11 = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-rc.1", "1.0.0"]
IDENTIFIERS = st.sampled_from(["0", "1", "10", "a", "b", "a-1", "A", "alpha"])
VERSIONS = st.builds(
    lambda numbers, prerelease, build: (
        ".".join(map(str, numbers)) + ("-" + ".".join(prerelease) if prerelease else "") + build
    ),
    st.lists(st.integers(0, 12), min_size=3, max_size=3),
    st.lists(IDENTIFIERS, max_size=3),
    st.sampled_from(["", "+build", "+1"]),
)


def test_the_order_of_the_specification() -> None:
    assert [compare("npm", first, second) for first, second in pairwise(SECTION_11)] == [-1] * 6


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total(first: str, second: str, third: str) -> None:
    low, middle, high = sorted((first, second, third), key=lambda version: key("npm", version))
    assert compare("npm", low, high) == min(compare("npm", low, middle), compare("npm", middle, high)) <= 0
    assert compare("npm", high, low) == -compare("npm", low, high)


def test_missing_numbers_are_zero() -> None:
    assert compare("npm", "1", "1.0.0") == 0
    assert compare("npm", "1.2-beta", "1.2.0-beta") == 0


@pytest.mark.parametrize(
    "version", ["", "latest", "1.0.0-", "1..0", "1.0.0-a..b", "^1.0.0", "1.0.0 ", "1." * 200 + "0"]
)
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        key("npm", version)


def test_an_ecosystem_without_a_known_order_is_refused() -> None:
    assert not is_known("Plan9:4")
    with pytest.raises(UnknownEcosystem, match="Plan9:4"):
        key("Plan9:4", "1")
    assert is_known("Debian:12")
    assert not is_known("debian")
