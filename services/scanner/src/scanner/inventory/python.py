"""Python packages, wherever they lie: `*.dist-info/METADATA`, and the `PKG-INFO` of eggs.

Formats: Python packaging's core metadata specification; setuptools' manual for eggs.
"""

import re
from collections.abc import Iterator

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.evidence import Identity, each_package
from scanner.inventory.stanzas import read_head

ECOSYSTEM = "PyPI"

_PATTERN = r"[^/]+\.dist-info/METADATA|[^/]+\.egg-info(?:/PKG-INFO)?|EGG-INFO/PKG-INFO"
_HEAD = 256 * 2**10
"""Bytes read of a file: name and version stand at its head, a long description may follow."""

_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,254}[A-Z0-9])?", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"[^\s\0]{1,256}")


def find_packages(image: Image) -> Iterator[Found]:
    """The packages of an image, and what of them could not be read."""
    return each_package(image.of("python"), read_metadata, ECOSYSTEM)


def read_metadata(body: bytes) -> Identity | str:
    """Name and version; where they can't be read, a sentence that says why."""
    fields = read_head(body)
    name, version = fields.get("name", ""), fields.get("version", "")
    if not _NAME.fullmatch(name):
        return "Its metadata gives no name of a Python package."
    if not _VERSION.fullmatch(version):
        return "Its metadata gives no version."
    return name, version


ANALYZER = Analyzer("python", 1, {"python": Wanted(_PATTERN, _HEAD, describing=True)}, find_packages)
