"""What an archive of Java tells of itself, and every archive in it: the projects of Maven, and the manifest's version.

Formats: the JAR file specification; Maven's archiver for `META-INF/maven`; Spring Boot's and servlets' folders of
archives in archives, which are found wherever they lie.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import msgspec

from scanner.inventory.jars.manifest import read_version
from scanner.inventory.jars.poms import Pom, read_project, read_properties
from scanner.inventory.zips import MAGIC, Member, Section, ZipMalformed, content, head, is_stored, members, pieces
from scanner.layers.paths import printable

EXTENSIONS = ("jar", "war", "ear")
"""What surely is an archive of Java by its name."""
OTHERS = ("par", "sar", "rar", "nar", "kar", "aar", "jpi", "hpi", "lpkg")
"""What is one where it is a zip archive."""

DEEPEST = 5
"""Archives within one another, that on the file system not counted."""
_TELLING = 100_000
"""Members that are looked into, of an archive and all in it."""
_UNPACKED, _DIRECTORIES = 4 * 2**30, 128 * 2**20
"""Bytes of those, and of directories, however large the archive is."""
_HEAD = 64 * 2**10
"""Bytes read of a manifest or `pom.properties`."""
_PROJECT = 2**20
"""Bytes read of a `pom.xml`."""
_LONGEST = 4 * 2**10
"""Bytes of the name of an archive in another."""
_SPOOLED = 2**20

_TOLD_BY_NAME = re.compile(rf".*\.(?i:{'|'.join(EXTENSIONS)})".encode(), re.DOTALL)
_ARCHIVE = rf".*\.(?i:{'|'.join((*EXTENSIONS, *OTHERS))})".encode()
_NESTED = re.compile(_ARCHIVE, re.DOTALL)
_WANTED = re.compile(
    rb"(?i:META-INF/MANIFEST\.MF)|(?:.*/)?META-INF/maven/[^/]+/[^/]+/pom\.(?:properties|xml)|" + _ARCHIVE, re.DOTALL
)


class Archive(msgspec.Struct, frozen=True):
    """An archive: `inner` is its path in the outermost, archive by archive, each led by `!/`, empty for that itself.

    `poms` are the projects that it holds, `version` what its manifest says, empty where that says none. `problem` says
    in a sentence what of it could not be read.
    """

    inner: str
    poms: tuple[Pom, ...] = ()
    version: str = ""
    problem: str = ""


class _TooMuch(Exception):
    """A bound is reached; the text names it, in a sentence."""


def read_archives(file: BinaryIO) -> list[Archive]:
    """The archive in a file, after every one in it."""
    size = file.seek(0, SEEK_END)
    budget = _Budget(min(_UNPACKED, 64 * 2**20 + 100 * size), min(_DIRECTORIES, 8 * 2**20 + 4 * size))
    return list(_archive(Section(file, 0, size), "", 0, budget))


@dataclass(slots=True)
class _Budget:
    """How many bytes of an archive and those in it may yet be unpacked, and how many of directories read."""

    unpacked: int
    directories: int
    telling: int = _TELLING

    def unpack(self, size: int) -> None:
        self.unpacked -= size
        if self.unpacked < 0:
            raise _TooMuch("What is packed in it is too large, or too large for its own size.")

    def open(self, directory: int) -> None:
        self.directories -= directory
        if self.directories < 0:
            raise _TooMuch("It holds too many members, or too many for its own size.")

    def look_into(self) -> None:
        self.telling -= 1
        if self.telling < 0:
            raise _TooMuch(f"It holds more than {_TELLING} members that matter.")


def _archive(section: Section, inner: str, depth: int, budget: _Budget) -> Iterator[Archive]:
    telling, problem = _Telling(section, budget), ""
    try:
        for member in members(section, _WANTED, budget.open):
            budget.look_into()
            if _NESTED.fullmatch(member.name):
                yield from _nested(section, member, inner, depth + 1, budget)
            else:
                telling.take(member)
    except (ZipMalformed, _TooMuch) as found:
        problem = str(found)
    yield telling.archive(inner, problem)


def _nested(section: Section, member: Member, inner: str, depth: int, budget: _Budget) -> Iterator[Archive]:
    name = member.name[:_LONGEST].replace(b"\0", b"\\x00").decode("utf-8", "surrogateescape")
    path = f"{inner}!/{printable(name)}"
    if problem := _out_of_bounds(member, depth):
        yield Archive(path, problem=problem)
        return
    try:
        with SpooledTemporaryFile(_SPOOLED) as file:
            opened = _opened(section, member, cast(BinaryIO, file), budget)
            if _TOLD_BY_NAME.fullmatch(member.name) or opened.begins(MAGIC):
                yield from _archive(opened, path, depth, budget)
    except (ZipMalformed, _TooMuch) as found:
        yield Archive(path, problem=str(found))


def _out_of_bounds(member: Member, depth: int) -> str:
    if len(member.name) > _LONGEST:
        return f"Its name is longer than {_LONGEST} bytes."
    return f"It lies deeper than {DEEPEST} archives within one another." if depth > DEEPEST else ""


def _opened(section: Section, member: Member, file: BinaryIO, budget: _Budget) -> Section:
    """A member as a file of its own: where it lies, or unpacked into `file`."""
    budget.unpack(member.size)
    if is_stored(member):
        return content(section, member)
    for piece in pieces(section, member):
        file.write(piece)
    return Section(file, 0, member.size)


@dataclass(slots=True)
class _Telling:
    """What the members of an archive tell, as they are read."""

    section: Section
    budget: _Budget
    poms: dict[bytes, dict[bool, Pom]] = field(default_factory=dict)
    version: str = ""

    def take(self, member: Member) -> None:
        """Takes up a member that is no archive."""
        folder, _, name = member.name.rpartition(b"/")
        told = head(self.section, member, _PROJECT if name == b"pom.xml" else _HEAD)
        self.budget.unpack(len(told))
        if name.upper() == b"MANIFEST.MF":
            self.version = self.version or read_version(told)
            return
        by_properties = name == b"pom.properties"
        if pom := read_properties(told) if by_properties else read_project(told):
            self.poms.setdefault(folder, {}).setdefault(by_properties, pom)

    def archive(self, inner: str, problem: str) -> Archive:
        """The archive: of a project, `pom.properties` counts before `pom.xml`."""
        poms = dict.fromkeys(told.get(True) or told[False] for told in self.poms.values())
        return Archive(inner, tuple(poms), self.version, problem)
