"""The pinned requirements: one version of each package in all parts, each with a hash, none with an address."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
FILES = sorted(REQUIREMENTS.glob("*.txt"))
PARTS = {"admission", "cli", "policy", "scanner", "signer", "verifier"}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)", re.MULTILINE)


def pins(file: Path) -> dict[str, str]:
    return {match["name"].lower(): match["version"] for match in PIN.finditer(file.read_text())}


def test_every_part_has_its_pins() -> None:
    assert {file.stem for file in FILES} == PARTS | {"dev"}
    assert all(pins(file) for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_part_has_the_versions_of_the_whole(file: Path) -> None:
    whole = pins(REQUIREMENTS / "dev.txt")
    assert {
        name: (version, whole.get(name)) for name, version in pins(file).items() if whole.get(name) != version
    } == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_pin_has_a_hash_and_no_address(file: Path) -> None:
    text = file.read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text
