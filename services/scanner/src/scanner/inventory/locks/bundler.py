"""`Gemfile.lock`. Format: as Bundler's class LockfileParser reads it: sections, in them `specs`, four spaces deep."""

import re
from collections.abc import Iterator

from scanner.inventory.listings import Listed, lines_of, listed

_SPEC = re.compile(r" {4}([^\s()]{1,256}) \(([^\s()-]{1,256})(?:-([^\s()]{1,256}))?\)")
_SECTIONS = {"GEM", "GIT"}
"""Those of gems that come from somewhere: what lies in a folder beside is the application's own."""


def read_gemfile_lock(body: bytes) -> Iterator[Listed | str]:
    """The gems of a `Gemfile.lock`, each with the platform that it is for. Raises NoEssence."""
    section = ""
    for line in lines_of(body):
        if line[:1].isalpha():
            section = line.strip()
        elif section in _SECTIONS and (match := _SPEC.fullmatch(line)):
            yield listed(match[1], match[2], match[3] or "")
