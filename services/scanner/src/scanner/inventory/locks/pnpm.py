"""`pnpm-lock.yaml`, read by its lines: pnpm writes it, and always in one way.

Format: pnpm's specification of its lock file, versions 5 to 9.
"""

import re
from collections.abc import Iterator

from scanner.inventory.listings import Listed, lines_of, listed

_FORM = re.compile(r"lockfileVersion: '?([0-9]{1,3})[0-9.]*'?")
_KEY = re.compile(r" {2}(['\"]?)([^'\"\s]{1,1024})\1:(?: .*)?")
_DEVELOPMENT = "    dev: true"
_SLASHED = 5
"""The last form with `/name/version`; since then it is `name@version`."""


def read_pnpm_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `pnpm-lock.yaml`, without those that it marks as for development. Raises NoEssence."""
    form, section, held = 0, "", None
    for line in lines_of(body):
        if line[:1] not in {"", " ", "#"}:
            section = line.rstrip()
            form = int(match[1]) if (match := _FORM.fullmatch(section)) else form
        elif section != "packages:":
            continue
        elif match := _KEY.fullmatch(line):
            if held:
                yield held
            held = _package(match[2], form)
        elif line == _DEVELOPMENT:
            held = None
    if held:
        yield held


def _package(key: str, form: int) -> Listed | str | None:
    """The package of a key; None where it does not come from a registry. What follows are its peers."""
    plain = key.partition("(")[0]
    if form <= _SLASHED:
        name, _, version = plain.rpartition("/")
        return listed(name[1:], version.partition("_")[0]) if name.startswith("/") else None
    name, _, version = plain.removeprefix("/").rpartition("@")
    return listed(name, version) if name and version[:1].isdigit() else None
