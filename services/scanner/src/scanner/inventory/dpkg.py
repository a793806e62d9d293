"""Packages of dpkg: its database of one file, and that of distroless images, a file for each package.

Formats: Debian policy, "Syntax of control files" and "List of fields"; the manual page dpkg-query(1) for states.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packageurl import PackageURL

from scanner.inventory.analyzer import Analyzer, Files, Found, Image, Wanted
from scanner.inventory.evidence import demand_few, unreadable
from scanner.inventory.model import Distribution, Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.ownership import dpkg as files
from scanner.inventory.stanzas import Stanza, read_stanzas
from scanner.layers.paths import printable
from scanner.layers.tree import Tree

_STATUS = "var/lib/dpkg/status"
_FOLDER = "var/lib/dpkg/status.d"
_PATTERN = r"dpkg/status(?:\.d/[^/]+)?"
_LARGEST = 64 * 2**20
"""Bytes of a database; a larger one can't be read."""

_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,255}", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"\S{1,256}")
_ABSENT = {"not-installed", "config-files"}
"""States in which nothing of a package but its configuration is on disk; in all others, half-done ones too, it is."""
_CHECKSUMS = ".md5sums"
"""What lies in the folder beside the descriptions."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A package as dpkg's database has it."""

    name: str
    version: str
    arch: str
    source_name: str
    source_version: str


def database(tree: Tree) -> Files:
    """The files of dpkg's database; empty where there is none."""
    whole = tree.find(_STATUS)
    folder = tree.real(_FOLDER)
    parts = [(path, kept) for path, kept in tree.files() if path.rpartition("/")[0] == folder]
    described = [(path, kept) for path, kept in sorted(parts) if not path.endswith(_CHECKSUMS)]
    return ([(_STATUS, whole)] if whole else []) + described


def find_packages(image: Image) -> Iterator[Found]:
    """The packages that the database tells of, and what of it could not be read."""
    distribution = image.distribution
    if distribution is None or distribution.manager != "dpkg":
        return
    for path, kept in database(image.tree):
        if not kept.file.is_whole:
            yield unreadable(path, kept, kept.file.problem or f"It is larger than {_LARGEST} bytes.")
            continue
        for told, layer in first_layer(kept, read_status):
            yield unreadable(path, kept, told) if isinstance(told, str) else _package(told, distribution, layer, path)


def read_status(body: bytes) -> Iterator[Installed | str]:
    """Each package that is there; for a record that can't be read, a sentence that says why. Raises LimitExceeded."""
    for stanza in demand_few(read_stanzas(body)):
        words = stanza.get("status", "").split()
        if not words or words[-1] not in _ABSENT:
            yield _installed(stanza)


def _installed(stanza: Stanza) -> Installed | str:
    name, version = stanza.get("package", ""), stanza.get("version", "")
    if not _NAME.fullmatch(name):
        return "A record names no package."
    if not _VERSION.fullmatch(version):
        return f"The record of {name} gives no version."
    source = _SOURCE.fullmatch(stanza.get("source", name))
    if not source or not _NAME.fullmatch(source[1]) or not _VERSION.fullmatch(source[2] or version):
        return f"The record of {name} gives a source that can't be read."
    return Installed(name, version, stanza.get("architecture", "")[:64], source[1], source[2] or version)


def _package(installed: Installed, distribution: Distribution, layer: str, path: str) -> Package:
    release = (distribution.ecosystem or "").split(":")[1]
    qualifiers = {"arch": installed.arch, "distro": f"{distribution.id}-{release}"}
    return Package(
        ecosystem=distribution.ecosystem or "",
        name=installed.name,
        version=installed.version,
        arch=installed.arch,
        source_name=installed.source_name,
        source_version=installed.source_version,
        purl=PackageURL("deb", distribution.id, installed.name, installed.version, qualifiers).to_string(),
        layer=layer,
        path=printable(path),
        evidence=Evidence.DATABASE,
    )


ANALYZER = Analyzer(
    name="dpkg",
    version=2,
    wanted={**files.WANTED, "dpkg": Wanted(_PATTERN, _LARGEST)},
    find=find_packages,
    manager="dpkg",
    database=database,
    needed=(_STATUS,),
    owned=files.owned,
)
