"""Python packages, wherever they lie: `*.dist-info/METADATA`, and the `PKG-INFO` of eggs.

Formats: Python packaging's core metadata specification; setuptools' manual for eggs.
"""

import re
from collections.abc import Iterable, Iterator

from packageurl import PackageURL

from scanner.inventory.evidence import Found, Identity, each_package
from scanner.inventory.stanzas import read_head
from scanner.layers.tree import Kept

ECOSYSTEM = "PyPI"
PATTERN = r"[^/]+\.dist-info/METADATA|[^/]+\.egg-info(?:/PKG-INFO)?|EGG-INFO/PKG-INFO"
HEAD = 256 * 2**10
"""Bytes read of a file: name and version stand at its head, a long description may follow."""

_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,254}[A-Z0-9])?", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"[^\s\0]{1,256}")


def find_packages(files: Iterable[tuple[str, Kept]]) -> Iterator[Found]:
    """The packages that these files tell of, and what of them could not be read."""
    return each_package(files, read_metadata, ECOSYSTEM, _purl)


def read_metadata(body: bytes) -> Identity | str:
    """Name and version; where they can't be read, a sentence that says why."""
    fields = read_head(body)
    name, version = fields.get("name", ""), fields.get("version", "")
    if not _NAME.fullmatch(name):
        return "Its metadata gives no name of a Python package."
    if not _VERSION.fullmatch(version):
        return "Its metadata gives no version."
    return name, version


def _purl(name: str, version: str) -> str:
    return PackageURL("pypi", None, name, version).to_string()
