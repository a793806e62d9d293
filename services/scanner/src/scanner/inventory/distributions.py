"""Which distribution an image is of, by its os-release: the manual page os-release(5)."""

import re
from collections.abc import Mapping

from scanner.inventory.model import Distribution

PATHS = ("etc/os-release", "usr/lib/os-release")
"""Where it lies; the first that is there counts."""
PATTERN = r"[^/]*os-release"
"""What it is called where a link leads to it."""
LARGEST = 64 * 2**10
"""Bytes of an os-release."""

_ASSIGNMENT = re.compile(r"""([A-Z][A-Z0-9_]*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\\]*)\s*""", re.ASCII)
_ESCAPED = re.compile(r'\\([\\"$`])')
_RELEASE = re.compile(r"([0-9]{1,4})(?:\.[0-9]+)*", re.ASCII)
_LONGEST = 256


def read_distribution(body: bytes) -> Distribution | None:
    """The distribution that an os-release names; None where it names none."""
    values = _values(body.decode("utf-8", "replace"))
    name = values.get("ID", "")
    if not name and not values.get("PRETTY_NAME"):
        return None
    version = values.get("VERSION_ID", "")
    pretty = values.get("PRETTY_NAME") or f"{name} {version}".strip()
    return Distribution(name, version, pretty, _ecosystem(name, version))


def _values(text: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for line in text.splitlines():
        if match := _ASSIGNMENT.fullmatch(line.strip()):
            key, value = match.groups()
            if value[:1] == '"':
                value = _ESCAPED.sub(r"\1", value[1:-1])
            values[key] = value.strip("'")[:_LONGEST]
    return values


def _ecosystem(name: str, version: str) -> str | None:
    """OSV's name; Debian's releases alone are known, its testing and unstable have no number."""
    release = _RELEASE.fullmatch(version)
    return f"Debian:{release[1]}" if name == "debian" and release else None
