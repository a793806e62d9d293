"""Packages of Maven: archives of Java and what is in them, and what an unpacked one holds of Maven's own notes.

A package's name is `group:artifact`. Where nothing tells the group, no advisory can be about it: it is listed by its
artifact alone, and not as one of Maven. The path of an archive in an archive is that of the outer one, `!/`, and that
in there.
"""

from collections.abc import Iterator
from functools import partial
from io import SEEK_END
from typing import BinaryIO

import msgspec

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.essences import pack, problem_of, unpack
from scanner.inventory.evidence import Identity, each_package, unreadable
from scanner.inventory.jars.identity import projects_of
from scanner.inventory.jars.poms import Pom, read_properties
from scanner.inventory.jars.reading import EXTENSIONS, OTHERS, Archive, read_archives
from scanner.inventory.model import WITHOUT_ADVISORIES, Evidence, Package, Unreadable
from scanner.inventory.origins import first_layer
from scanner.inventory.purls import purl_of
from scanner.inventory.zips import MAGIC
from scanner.layers.paths import printable
from scanner.layers.wishes import Essence

ECOSYSTEM = "Maven"

_FORM = "archive of Java"
_LARGEST = 4 * 2**30
_NOTES = r"META-INF/maven/[^/]+/[^/]+/pom\.properties"
_HEAD = 64 * 2**10
_NO_NOTES = "It names no project of Maven."


class Told(msgspec.Struct, frozen=True):
    """A project in an archive, or what of that could not be read; `inner` is as in Archive."""

    inner: str
    project: Pom | None
    problem: str = ""


def essence(file: BinaryIO) -> bytes | None:
    """What the archive in a file tells, for `read_told`; None where there is nothing in the file."""
    if not file.seek(0, SEEK_END):
        return None
    return pack(_FORM, read_archives(file))


def read_told(path: str, body: bytes) -> Iterator[Told]:
    """What the essence of the archive at a path tells."""
    for archive in unpack(_FORM, body, list[Archive]) or ():
        if archive.problem:
            yield Told(archive.inner, None, archive.problem)
        if archive.poms or not archive.problem:
            for project in projects_of(archive, path + archive.inner):
                yield Told(archive.inner, project)


def find_packages(image: Image) -> Iterator[Found]:
    """The packages of an image, and what of them could not be read."""
    for path, kept in (*image.of("java"), *image.of("java_by_content")):
        if problem := problem_of(kept, _FORM):
            yield unreadable(path, kept, problem)
            continue
        for told, layer in first_layer(kept, partial(read_told, printable(path))):
            yield _found(told, layer, printable(path) + told.inner)
    yield from each_package(image.of("java_unpacked"), read_notes, ECOSYSTEM)


def read_notes(body: bytes) -> Identity | str:
    """Name and version by a `pom.properties` that lies in the image by itself; a sentence where it can't be read."""
    pom = read_properties(body)
    return (f"{pom.group}:{pom.artifact}", pom.version) if pom and pom.version else _NO_NOTES


def _found(told: Told, layer: str, path: str) -> Found:
    project = told.project
    if project is None:
        return Unreadable(layer, path, told.problem)
    if project.group:
        return _package(
            ECOSYSTEM, f"{project.group}:{project.artifact}", project.version, layer, path, Evidence.METADATA
        )
    return _package(WITHOUT_ADVISORIES, project.artifact, project.version, layer, path, Evidence.BINARY)


def _package(ecosystem: str, name: str, version: str, layer: str, path: str, evidence: Evidence) -> Package:
    purl = purl_of(ecosystem, name, version)
    return Package(ecosystem, name, version, "", "", "", purl, layer, path, evidence=evidence)


ANALYZER = Analyzer(
    name="java",
    version=1,
    wanted={
        "java": Wanted(rf"[^/]+\.(?i:{'|'.join(EXTENSIONS)})", Essence(essence, _LARGEST), describing=True),
        "java_by_content": Wanted(rf"[^/]+\.(?i:{'|'.join(OTHERS)})", Essence(essence, _LARGEST, (MAGIC,))),
        "java_unpacked": Wanted(_NOTES, _HEAD),
    },
    find=find_packages,
)
