"""Every comparison of the shared vectors holds, and so does its mirror image."""

import pytest
from scanner.versions import InvalidVersion, compare, key

from tests.factories.shared_data import SHARED, needs_shared_data

VECTORS = SHARED / "versions"
SIGNS = {"<": -1, "=": 0, ">": 1}

pytestmark = needs_shared_data


@pytest.mark.parametrize(
    ("file", "ecosystem"),
    [
        ("dpkg", "Debian"),
        ("pypi", "PyPI"),
        ("semver", "npm"),
        ("semver", "Go"),
        ("semver", "crates.io"),
        ("rpm", "AlmaLinux"),
        ("nuget", "NuGet"),
    ],
)
def test_vectors(file: str, ecosystem: str) -> None:
    lines = (VECTORS / f"{file}.txt").read_text().splitlines()
    vectors = [line.split() for line in lines if line and not line.startswith("#")]
    assert len(vectors) > 20
    wrong = [
        (first, sign, second)
        for first, sign, second in vectors
        if compare(ecosystem, first, second) != SIGNS[sign] or compare(ecosystem, second, first) != -SIGNS[sign]
    ]
    assert wrong == []


def test_vectors_of_apk() -> None:
    """Those of which apk calls a version invalid bind nobody, as their head says."""
    lines = (VECTORS / "apk.txt").read_text().splitlines()
    vectors = [line.split() for line in lines if line and not line.startswith("#")]
    valid = [one for one in vectors if _has_key(one[0]) and _has_key(one[2])]
    assert len(valid) > 700
    assert [one for one in valid if compare("Alpine", one[0], one[2]) != SIGNS[one[1]]] == []


def _has_key(version: str) -> bool:
    try:
        key("Alpine", version)
    except InvalidVersion:
        return False
    return True
