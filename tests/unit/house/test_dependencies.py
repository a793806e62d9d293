"""Each part lists what it imports: it stands alone, whatever its neighbours happen to bring along."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
PARTS = sorted(file.parent for top in ("libs", "services", "cli") for file in TOP.glob(f"{top}/**/pyproject.toml"))
OURS = {
    package.name: tomllib.loads((part / "pyproject.toml").read_text())["project"]["name"]
    for part in PARTS
    for package in (part / "src").iterdir()
}
FOREIGN = packages_distributions()
# Packages whose modules lie in another's namespace, which the metadata tells by their first name alone.
WITHIN = {"google.rpc": "googleapis-common-protos", "google.protobuf": "protobuf", "backports.zstd": "backports-zstd"}


def imported(part: Path) -> Iterator[tuple[str, str]]:
    """Each module that a part imports, and where."""
    for file in (part / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name, file.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, file.name


def distribution(module: str) -> str:
    """The distribution that a module comes from, by its normalised name."""
    top = module.partition(".")[0]
    known = OURS.get(top) or next((name for prefix, name in WITHIN.items() if module.startswith(prefix)), None)
    (name,) = {known} if known else set(FOREIGN[top])
    return normalised(name)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(part: Path) -> set[str]:
    """What a part lists, its optional dependencies among it."""
    project = tomllib.loads((part / "pyproject.toml").read_text())["project"]
    optional = project.get("optional-dependencies", {}).values()
    wanted = [*project["dependencies"], *(name for names in optional for name in names)]
    return {normalised(re.split(r"[^\w.-]", name)[0]) for name in wanted} | {normalised(project["name"])}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.relative_to(TOP).as_posix())
def test_a_part_lists_what_it_imports(part: Path) -> None:
    own = {package.name for package in (part / "src").iterdir()}
    foreign = {
        (distribution(module), module, file)
        for module, file in imported(part)
        if module.partition(".")[0] not in sys.stdlib_module_names | own
    }
    assert [found for found in sorted(foreign) if found[0] not in listed(part)] == []


def test_all_parts_are_looked_at() -> None:
    assert {part.name for part in PARTS} == {
        *("wire", "chassis", "registry"),
        *("scanner", "signer", "policy", "verifier", "admission", "cli"),
    }
