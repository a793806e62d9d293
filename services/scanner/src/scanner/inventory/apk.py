"""Packages of apk, by its database of installed packages, the same text in apk-tools 2 and 3.

Format: the manual page apk-package(5) for names and versions; Alpine's wiki, "Apk spec", for the letters of fields.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from packageurl import PackageURL

from scanner.inventory.analyzer import Analyzer, Files, Found, Image, Owned, Wanted
from scanner.inventory.evidence import demand_few, unreadable
from scanner.inventory.model import Distribution, Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.ownership.apk import owned_in
from scanner.inventory.stanzas import text_of
from scanner.layers.paths import printable
from scanner.layers.tree import Tree

_PATHS = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_LARGEST = 64 * 2**20

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,255}", re.ASCII)
_VERSION = re.compile(r"\S{1,256}")


@dataclass(frozen=True, slots=True)
class Installed:
    """A package as apk's database has it; `origin` is the source package that it was built from."""

    name: str
    version: str
    arch: str
    origin: str


def database(tree: Tree) -> Files:
    """The file of apk's database; empty where there is none."""
    real = {tree.real(path): path for path in reversed(_PATHS)}
    return [(path, kept) for path in sorted(real.values()) if (kept := tree.find(path))]


def find_packages(image: Image) -> Iterator[Found]:
    """The packages that the database tells of, and what of it could not be read."""
    distribution = image.distribution
    if distribution is None or distribution.manager != "apk":
        return
    for path, kept in database(image.tree):
        if not kept.file.is_whole:
            yield unreadable(path, kept, kept.file.problem or f"It is larger than {_LARGEST} bytes.")
            continue
        for told, layer in first_layer(kept, read_installed):
            yield unreadable(path, kept, told) if isinstance(told, str) else _package(told, distribution, layer, path)


def owned(image: Image, installed: Sequence[Package], names: Set[str]) -> Iterator[Owned]:
    """The files of these names that packages own."""
    return owned_in(database(image.tree), installed, names)


def read_installed(body: bytes) -> Iterator[Installed | str]:
    """Each package of the database; for a record that can't be read, a sentence that says why. Raises LimitExceeded."""
    for block in demand_few(text_of(body).split("\n\n")):
        fields = _fields(block)
        if fields:
            yield _installed(fields)


def _fields(block: str) -> Mapping[str, str]:
    """The fields of a record that are of the package itself: what its files are told by comes after these."""
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        letter, colon, value = line.partition(":")
        if colon:
            fields.setdefault(letter, value.strip())
    return fields


def _installed(fields: Mapping[str, str]) -> Installed | str:
    name, version, origin = fields.get("P", ""), fields.get("V", ""), fields.get("o", "")
    if not _NAME.fullmatch(name):
        return "A record names no package."
    if not _VERSION.fullmatch(version):
        return f"The record of {name} gives no version."
    if origin and not _NAME.fullmatch(origin):
        return f"The record of {name} gives an origin that can't be read."
    return Installed(name, version, fields.get("A", "")[:64], origin or name)


def _package(installed: Installed, distribution: Distribution, layer: str, path: str) -> Package:
    qualifiers = {"arch": installed.arch, "distro": f"{distribution.id}-{distribution.version_id}".rstrip("-")}
    return Package(
        ecosystem=distribution.ecosystem or "",
        name=installed.name,
        version=installed.version,
        arch=installed.arch,
        source_name=installed.origin,
        source_version=installed.version,
        purl=PackageURL("apk", distribution.id, installed.name, installed.version, qualifiers).to_string(),
        layer=layer,
        path=printable(path),
        evidence=Evidence.DATABASE,
    )


ANALYZER = Analyzer(
    name="apk",
    version=2,
    wanted={"apk": Wanted(r"apk/db/installed", _LARGEST)},
    find=find_packages,
    manager="apk",
    database=database,
    needed=_PATHS,
    owned=owned,
)
