"""Which packages an archive of Java is: the projects of Maven in it, and itself.

What no project tells of has no group: a group is never guessed, not from a manifest's vendor, not from a file's name.
"""

import re
from collections.abc import Iterator

from scanner.inventory.jars.poms import Pom
from scanner.inventory.jars.reading import Archive

_LONGEST = 255
"""Characters of a file's name that is taken apart."""
_QUALIFIERS = "alpha|beta|b|m|rc|cr|sp|pre|ea|build|snapshot|patch|p|rev|r|jdk|jre|java"
_VERSIONED = re.compile(
    rf"(.+?)-(v?[0-9](?!\S*-(?!(?:{_QUALIFIERS})-)[a-z][^-]*-v?[0-9])\S*)", re.ASCII | re.IGNORECASE | re.DOTALL
)
"""Artifact and version: the version begins with a digit, and no word that is none of a version stands before another
number in it (`log4j-1.2-api-2.17.1`).
"""
_OSGI = re.compile(r"([^_]+(?:_[^_0-9][^_]*)*)_([0-9][^_\s]*)", re.DOTALL)


def projects_of(archive: Archive, path: str) -> Iterator[Pom]:
    """The projects that the archive at `path` holds; where none is its own, also itself, without a group."""
    artifact, version = split_name(path)
    version = version or archive.version
    own = [
        pom
        for pom in archive.poms
        if pom.artifact == artifact or _stem(path).startswith(f"{pom.artifact}-{pom.version}")
    ]
    if not own and len(archive.poms) == 1:
        own = list(archive.poms)
    for pom in archive.poms:
        yield Pom(pom.group, pom.artifact, pom.version or (version if pom in own else ""))
    if not own:
        yield Pom("", artifact, version)


def split_name(path: str) -> tuple[str, str]:
    """Artifact and version by a file's name, the version empty where it tells none. No artifact has a colon in it."""
    stem = _stem(path).replace(":", "_")
    match = _VERSIONED.fullmatch(stem) or _OSGI.fullmatch(stem)
    return (match[1], match[2]) if match else (stem, "")


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return (name.rpartition(".")[0].strip() or name.strip() or "?")[:_LONGEST].strip()
