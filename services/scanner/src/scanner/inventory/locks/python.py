"""`Pipfile.lock`, and `requirements.txt` as far as it pins.

Formats: Pipenv's documentation, "Pipfile & Pipfile.lock"; pip's, "Requirements File Format".
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from scanner.inventory.listings import Listed, decode_json, lines_of, listed

_LONGEST = 4096
_PINNED = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,255})(?:\[[^\]]{0,512}\])?={2,3}([^\s;#,*\\=<>!~]{1,256})(?:;.*|\\|--.*)?"
)


class _Pinned(msgspec.Struct, frozen=True):
    version: str = ""


class _Pipfile(msgspec.Struct, frozen=True):
    default: Mapping[str, _Pinned] = msgspec.field(default_factory=dict)


def read_pipfile_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `Pipfile.lock` that come from an index, without those for development. Raises NoEssence."""
    for name, pinned in decode_json(body, _Pipfile).default.items():
        if pinned.version:
            yield listed(name, pinned.version.lstrip("="))


def read_requirements(body: bytes) -> Iterator[Listed | str]:
    """The packages that a `requirements.txt` pins to a version; for others it tells none. Raises NoEssence."""
    for line in lines_of(body):
        words = line[:_LONGEST].partition(" #")[0].split()
        if match := _PINNED.fullmatch("".join(words)):
            yield listed(match[1], match[2])
