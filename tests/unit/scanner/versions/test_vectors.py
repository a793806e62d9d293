"""Every comparison of the shared vectors holds, and so does its mirror image."""

import pytest
from scanner.versions import compare

from tests.factories.shared_data import SHARED, needs_shared_data

VECTORS = SHARED / "versions"
SIGNS = {"<": -1, "=": 0, ">": 1}

pytestmark = needs_shared_data


@pytest.mark.parametrize(("file", "ecosystem"), [("dpkg", "Debian"), ("pypi", "PyPI"), ("semver", "npm")])
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
