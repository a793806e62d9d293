"""Python packages, wherever they lie: `*.dist-info/METADATA`, the `PKG-INFO` of eggs, and what a package vendors.

What is vendored with its metadata is found by that; pip vendors without, and lists what in `_vendor/vendor.txt`. A
package that is developed in place (`.egg-link`) has its metadata there. Wheels are not installed, and not looked into.

Formats: Python packaging's core metadata specification; setuptools' manual for eggs, which may be zip archives.
"""

import re
from collections.abc import Iterator
from io import SEEK_END
from typing import BinaryIO

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.evidence import Identity, each_package
from scanner.inventory.listings import each_listed, listing
from scanner.inventory.locks.python import read_requirements
from scanner.inventory.model import Evidence
from scanner.inventory.stanzas import read_head
from scanner.inventory.zips import MAGIC, Section, ZipMalformed, head, members
from scanner.layers.wishes import Essence, NoEssence

ECOSYSTEM = "PyPI"

_PATTERN = r"[^/]+\.dist-info/METADATA|[^/]+\.egg-info(?:/PKG-INFO)?|EGG-INFO/PKG-INFO"
_HEAD = 256 * 2**10
"""Bytes read of a file: name and version stand at its head, a long description may follow."""
_IN_EGG = re.compile(rb"EGG-INFO/PKG-INFO")
_LARGEST = 2**30
_LARGEST_DIRECTORY = 32 * 2**20

_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,254}[A-Z0-9])?", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"[^\s\0]{1,256}")


def find_packages(image: Image) -> Iterator[Found]:
    """The packages of an image, and what of them could not be read."""
    yield from each_package((*image.of("python"), *image.of("python_egg")), read_metadata, ECOSYSTEM)
    yield from each_listed(image.of("python_vendored"), read_requirements, ECOSYSTEM, Evidence.METADATA)


def read_metadata(body: bytes) -> Identity | str:
    """Name and version; where they can't be read, a sentence that says why."""
    fields = read_head(body)
    name, version = fields.get("name", ""), fields.get("version", "")
    if not _NAME.fullmatch(name):
        return "Its metadata gives no name of a Python package."
    if not _VERSION.fullmatch(version):
        return "Its metadata gives no version."
    return name, version


def essence_of_egg(file: BinaryIO) -> bytes | None:
    """The head of the metadata in an egg that is a zip archive; None where there is none. Raises NoEssence."""
    section = Section(file, 0, file.seek(0, SEEK_END))
    try:
        for member in members(section, _IN_EGG, _spend):
            return head(section, member, _HEAD)
    except ZipMalformed as problem:
        raise NoEssence(str(problem)) from problem
    return None


def _spend(directory: int) -> None:
    if directory > _LARGEST_DIRECTORY:
        raise ZipMalformed(f"Its directory is larger than {_LARGEST_DIRECTORY} bytes.")


ANALYZER = Analyzer(
    name="python",
    version=1,
    wanted={
        "python": Wanted(_PATTERN, _HEAD, describing=True),
        "python_egg": Wanted(r"[^/]+\.egg", Essence(essence_of_egg, _LARGEST, (MAGIC,))),
        "python_vendored": Wanted(r"_vendor/vendor\.txt", listing(read_requirements)),
    },
    find=find_packages,
)
