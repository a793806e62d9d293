"""Which distribution an image is of: by its os-release, the manual page os-release(5), or by what came before that."""

import re
from collections.abc import Mapping
from dataclasses import replace

from scanner.inventory.families import FAMILIES
from scanner.inventory.model import Distribution
from scanner.inventory.stanzas import text_of

PATHS = ("etc/os-release", "usr/lib/os-release")
"""Where it lies; the first that is there counts."""
FORERUNNERS = (
    "etc/alpine-release",
    "etc/oracle-release",
    "etc/centos-release",
    "etc/fedora-release",
    "etc/redhat-release",
    "etc/system-release",
    "etc/debian_version",
)
"""What tells of a distribution in an image without os-release; the first that is there and says one counts."""
PATTERN = r"[^/]*os-release|[a-z]+-release|debian_version"
"""What they are called, also where a link leads to them."""
LARGEST = 64 * 2**10
"""Bytes of an os-release."""

_ASSIGNMENT = re.compile(r"""([A-Z][A-Z0-9_]*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\\]*)\s*""", re.ASCII)
_ESCAPED = re.compile(r'\\([\\"$`])')
_LONGEST = 256
_TITLE = re.compile(r"(.{1,64}?)(?: Linux)?(?: Server)?(?: release)? ([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})\b.*", re.ASCII)
_TITLED = {
    "CentOS": "centos",
    "Oracle": "ol",
    "Fedora": "fedora",
    "Red Hat Enterprise": "rhel",
    "Rocky": "rocky",
    "AlmaLinux": "almalinux",
    "Amazon": "amzn",
    "Amazon Linux AMI": "amzn",
}
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}(?:_(?:alpha|beta|rc)[0-9]*)?", re.ASCII)
_OF_NUMBERS = {"etc/alpine-release": ("alpine", "Alpine Linux"), "etc/debian_version": ("debian", "Debian GNU/Linux")}


def read_distribution(body: bytes) -> Distribution | None:
    """The distribution that an os-release names; None where it names none."""
    values = _values(text_of(body))
    name = values.get("ID", "")
    if not name and not values.get("PRETTY_NAME"):
        return None
    version = values.get("VERSION_ID", "")
    pretty = values.get("PRETTY_NAME") or f"{name} {version}".strip()
    return _recognise(Distribution(name, version, pretty, None), values.get("NAME", ""))


def read_forerunner(path: str, body: bytes) -> Distribution | None:
    """The distribution that one of FORERUNNERS names; None where it names none that we know."""
    line = text_of(body).strip().partition("\n")[0][:_LONGEST]
    if path in _OF_NUMBERS:
        name, title = _OF_NUMBERS[path]
        named = Distribution(name, line, f"{title} {line}", None) if _NUMBER.fullmatch(line) else None
    else:
        match = _TITLE.fullmatch(line)
        named = Distribution(_TITLED.get(match[1], ""), match[2], line, None) if match else None
    known = _recognise(named, line) if named else None
    return known if known and known.ecosystem else None


def recognised(name: str, version: str, pretty_name: str) -> Distribution:
    """The distribution of that ID, VERSION_ID and PRETTY_NAME, with its ecosystem where that is known."""
    return _recognise(Distribution(name, version, pretty_name, None), pretty_name)


def _recognise(named: Distribution, title: str) -> Distribution:
    family = FAMILIES.get(named.id)
    ecosystem = family.ecosystem(named.version_id, title) if family else None
    return replace(named, ecosystem=ecosystem, manager=family.manager) if family and ecosystem else named


def _values(text: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for line in text.splitlines():
        if match := _ASSIGNMENT.fullmatch(line.strip()):
            key, value = match.groups()
            if value[:1] == '"':
                value = _ESCAPED.sub(r"\1", value[1:-1])
            values[key] = value.strip("'")[:_LONGEST]
    return values
