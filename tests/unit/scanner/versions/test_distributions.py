"""The orders of apk and rpm, and of the modules and crates that use semantic versions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.versions import InvalidVersion, compare, key

APK = ["1.0_alpha", "1.0_alpha2", "1.0_rc1", "1.0", "1.0-r0", "1.0-r10", "1.0_p1", "1.0a", "1.0.01", "1.0.1", "1.0.10"]
RPM = [
    "1.0~rc1",
    "1.0",
    "1.0-",
    "1.0-1",
    "1.0^git1",
    "1.0a",
    "1.0.1",
    "1.01",
    "1.10-1.el9",
    "1.10-1.el9_4",
    "1.10-2.el9",
    "1:0.1",
]
GO = ["v0.0.0-20190101000000-abcdefabcdef", "0.0.1", "1.20.9", "1.21.0-rc1", "1.21.0", "v2.0.0+incompatible", "2.0.1"]
NUGET = ["1.0.0-ALPHA", "1.0-beta.2", "1.0-Beta.10", "1", "1.0.0.1-rc", "1.0.0.1", "1.0.1"]

APK_VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[01]{1,2}){0,2}[ab]?(_(rc|p)[12]?){0,2}(-r[01])?", fullmatch=True)
RPM_VERSIONS = st.text(alphabet="01a.~^-b:", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("ecosystem", "order"),
    [("Alpine:v3.20", APK), ("AlmaLinux:9", RPM), ("Go", GO), ("crates.io", GO), ("NuGet", NUGET)],
)
def test_the_order(ecosystem: str, order: list[str]) -> None:
    assert [compare(ecosystem, low, high) for low, high in pairwise(order)] == [-1] * (len(order) - 1)


@pytest.mark.parametrize(("ecosystem", "versions"), [("Alpine", APK_VERSIONS), ("AlmaLinux", RPM_VERSIONS)])
@given(data=st.data())
def test_the_order_is_total(ecosystem: str, versions: st.SearchStrategy[str], data: st.DataObject) -> None:
    drawn = [data.draw(versions) for _ in range(3)]
    low, middle, high = sorted(drawn, key=lambda version: key(ecosystem, version))
    assert compare(ecosystem, low, high) == min(compare(ecosystem, low, middle), compare(ecosystem, middle, high)) <= 0
    assert compare(ecosystem, high, low) == -compare(ecosystem, low, high)


@pytest.mark.parametrize("version", ["", "a", "1.0A", "1.0-ruff", "1_blah", "1.0-r", "1..2", "1." * 200 + "0"])
def test_what_is_no_version_of_apk_is_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        key("Alpine:v3.20", version)


@pytest.mark.parametrize("version", ["", "1 2", "1\n", "1" * 1025])
def test_what_is_no_version_of_rpm_is_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        key("AlmaLinux:9", version)
