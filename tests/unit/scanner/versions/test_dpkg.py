"""Debian's order, against dpkg itself where it is installed."""

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scanner.versions import InvalidVersion, compare, key

PIECES = st.sampled_from(["0", "1", "9", "10", "00", "a", "z", "A", "~", "~~", "+", ".", "rc", "-"])
UPSTREAM = st.lists(PIECES, min_size=1, max_size=7).map(lambda pieces: "1" + "".join(pieces) + "0")
REVISION = st.lists(PIECES, max_size=4).map(lambda pieces: "".join(pieces).replace("-", ""))
VERSIONS = st.builds(
    lambda epoch, upstream, revision: epoch + upstream + (f"-{revision}" if revision else ""),
    st.sampled_from(["", "0:", "1:", "00:", "10:"]),
    UPSTREAM,
    REVISION,
)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VERSIONS, VERSIONS)
@example("1.0~rc1", "1.0")
@example("1", "1a0~")
def test_the_order_is_that_of_dpkg(first: str, second: str) -> None:
    says = {
        sign
        for sign, word in ((-1, "lt"), (0, "eq"), (1, "gt"))
        if subprocess.run(["dpkg", "--compare-versions", first, word, second], check=False).returncode == 0
    }
    assert says == {compare("Debian", first, second)}


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total(first: str, second: str, third: str) -> None:
    low, middle, high = sorted((first, second, third), key=lambda version: key("Debian:12", version))
    assert compare("Debian", low, middle) <= 0
    assert compare("Debian", middle, high) <= 0
    assert compare("Debian", low, high) <= 0
    assert compare("Debian", high, low) == -compare("Debian", low, high)


@pytest.mark.parametrize("digits", [254, 255, 300, 5000])
def test_long_numbers_compare_by_value(digits: int) -> None:
    number = "1" * digits
    assert compare("Debian", number, "0" + number) == 0
    assert compare("Debian", number, number[1:]) == 1
    assert compare("Debian", number, number[:-1] + "2") == -1


@pytest.mark.parametrize(
    "version", ["", ":1", "a:1", "-1:1", "9999999999:1", "1-", "1 2", "1_2", "1:", "é1", "1/2", "-1"]
)
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        key("Debian:12", version)
