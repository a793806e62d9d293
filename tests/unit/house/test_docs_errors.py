"""docs/errors.md lists every reason code of the services, with its status, and no other."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import admission
import chassis
import policy
import pytest
import registry
import scanner
import signer
import verifier
from chassis.client import RemoteRefusal
from chassis.errors import Refusal
from scanner.failures import ScanFailure
from signer import gate
from verifier.reasons import COULD_NOT_TELL, Code

PAGE = (Path(__file__).parents[3] / "docs" / "errors.md").read_text()
SECTIONS = {
    "Any service": chassis,
    "Services that read a registry": registry,
    "Scanner": scanner,
    "Signer": signer,
    "Policy": policy,
    "Verifier": verifier,
    "Admission adapter": admission,
}
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
Base = TypeVar("Base")


def section(title: str) -> str:
    """The text under a heading."""
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert isinstance(text, str)
    return text


def listed(title: str) -> set[tuple[str, str]]:
    """The reason codes that a section lists, each with what stands beside it."""
    text = section(title)
    rows = ROW.findall(text)
    assert len(rows) == len(set(rows)) == text.count("\n| `"), f"a row of {title!r} is none, or stands there twice"
    return set(rows)


def below(base: type[Base]) -> Iterator[type[Base]]:
    """Every class that derives from it."""
    for derived in base.__subclasses__():
        yield derived
        yield from below(derived)


def imported(package: ModuleType) -> None:
    """Import every module of it, so that each of its classes is known."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not re.search(r"\.(__main__|store\.migrations|alembic)\b", module.name):
            importlib.import_module(module.name)


def code(of: type[Refusal]) -> str:
    """The reason code of a refusal's class, whatever it takes to make one."""
    return of.__new__(of).reason


@pytest.mark.parametrize("title", SECTIONS)
def test_each_refusal_of_a_part_is_listed_with_its_status(title: str) -> None:
    package = SECTIONS[title]
    imported(package)
    refusals = {
        (code(of), of.kind.value)
        for of in below(Refusal)
        if not issubclass(of, RemoteRefusal) and of.__module__.partition(".")[0] == package.__name__
    }
    assert refusals
    assert listed(title) == refusals


def test_each_reason_of_a_verdict_is_listed_with_its_outcome() -> None:
    reasons = {(one.value, "UNAVAILABLE" if one in COULD_NOT_TELL else "DENY") for one in Code}
    assert listed("Reasons of a verdict") == reasons


def test_each_failure_of_a_scan_is_listed() -> None:
    failures = {(of("").reason, "yes" if of.transient else "no") for of in below(ScanFailure)}
    assert listed("Failures of scans") == failures


def test_each_check_of_a_gate_is_listed() -> None:
    source = Path(gate.__file__).read_text()
    checks = set(re.findall(r'(?:Failure\(|: \()"([A-Z_]+)"', source))
    assert set(re.findall(r"`([A-Z_]+)`", section("Checks of a gate"))) - {"GATE_REFUSED"} == checks
