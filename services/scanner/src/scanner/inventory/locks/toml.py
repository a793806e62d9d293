"""Lock files of TOML that tools write in one way, read by their lines: Cargo's, Poetry's, PDM's and uv's.

Formats: The Cargo Book, "Cargo.toml vs Cargo.lock"; Poetry's, PDM's and uv's documentation of their lock files.
"""

import re
from collections.abc import Iterator, Mapping

from scanner.inventory.listings import Listed, lines_of, listed

_FIELD = re.compile(r"([a-z-]{1,32}) = (.{1,4096})")
_PACKAGE = "[[package]]"
_TABLE = "[package."
_OWN = re.compile(r"\{ (?:editable|virtual|directory) = .*")
"""The source of what lies beside, which is the application's own."""
_FOR_USE = ('"main"', '"default"')
"""Groups of packages, by Poetry's and PDM's names, that are not for development."""


def read_cargo_lock(body: bytes) -> Iterator[Listed | str]:
    """The crates of a `Cargo.lock` that come from somewhere. Raises NoEssence."""
    return (_listed(package) for package in _packages(body) if "source" in package)


def read_uv_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `uv.lock`; which are for development it does not tell. Raises NoEssence."""
    return (_listed(package) for package in _packages(body) if not _OWN.fullmatch(package.get("source", "")))


def read_poetry_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `poetry.lock` or `pdm.lock`, without those for development. Raises NoEssence."""
    return (_listed(package) for package in _packages(body) if _is_for_use(package))


def _is_for_use(package: Mapping[str, str]) -> bool:
    groups = package.get("groups", _FOR_USE[0])
    own = package.get("source.type") == '"directory"' or "path" in package
    return package.get("category") != '"dev"' and any(name in groups for name in _FOR_USE) and not own


def _listed(package: Mapping[str, str]) -> Listed | str:
    return listed(package.get("name", "").strip('"'), package.get("version", "").strip('"'))


def _packages(body: bytes) -> Iterator[Mapping[str, str]]:
    """The fields of every package as they stand there, those of a table in it led by the table's name."""
    package: dict[str, str] | None = None
    table = ""
    for line in lines_of(body):
        if line.startswith("["):
            table = f"{line[len(_TABLE) :].rstrip(']')}." if line.startswith(_TABLE) else ""
            if not table:
                if package:
                    yield package
                package = {} if line == _PACKAGE else None
        elif package is not None and (match := _FIELD.fullmatch(line)):
            package.setdefault(table + match[1], match[2])
    if package:
        yield package
