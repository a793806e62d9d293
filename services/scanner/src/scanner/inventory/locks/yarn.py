"""`yarn.lock`: the form of Yarn 1, and that of Yarn 2 and later, which looks like it.

Formats: Yarn's documentation, "yarn.lock", and its protocols of dependencies (`npm:`, `workspace:`, `patch:` …).
"""

import re
from collections.abc import Iterator

from scanner.inventory.listings import Listed, lines_of, listed

_FIELD = re.compile(r'  (version|resolution):? "?([^"\s]{1,1024})"?')
_ALIAS = "npm:"
_OWN = ("workspace:", "link:", "file:", "portal:")
"""Protocols of what lies beside, which is the application's own."""


def read_yarn_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `yarn.lock`; which are for development it does not tell. Raises NoEssence."""
    wanted, version = "", ""
    for line in lines_of(body):
        if line[:1] not in {"", " ", "#"}:
            yield from _entry(wanted, version)
            wanted, version = line.partition(",")[0].strip('": '), ""
        elif match := _FIELD.fullmatch(line):
            version = match[2] if match[1] == "version" else version
            wanted = match[2] if match[1] == "resolution" else wanted
    yield from _entry(wanted, version)


def _entry(wanted: str, version: str) -> Iterator[Listed | str]:
    """The entry for what was wanted, `name@range`: of an alias, `name@npm:other@range`, the other counts."""
    name, at, demand = _parted(wanted)
    if not at or demand.startswith(_OWN):
        return
    other, aliased, _ = _parted(demand.removeprefix(_ALIAS))
    yield listed(other if aliased and demand.startswith(_ALIAS) else name, version)


def _parted(wanted: str) -> tuple[str, str, str]:
    """What stands before and after the `@` that does not begin a scope."""
    name, at, rest = wanted[1:].partition("@")
    return wanted[:1] + name, at, rest
