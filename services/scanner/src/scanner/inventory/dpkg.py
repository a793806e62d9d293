"""Packages of dpkg: its database of one file, and that of distroless images, a file for each package.

Formats: Debian policy, "Syntax of control files" and "List of fields"; the manual page dpkg-query(1) for states.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from packageurl import PackageURL

from scanner.inventory.evidence import Found, demand_few, history, unreadable
from scanner.inventory.model import Package
from scanner.inventory.stanzas import Stanza, read_stanzas
from scanner.layers.paths import printable
from scanner.layers.tree import Kept, Tree

STATUS = "var/lib/dpkg/status"
FOLDER = "var/lib/dpkg/status.d"
PATTERN = r"dpkg/status(?:\.d/[^/]+)?"
LARGEST = 64 * 2**20
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


def databases(tree: Tree) -> list[tuple[str, Kept]]:
    """The files of dpkg's database; empty where there is none."""
    whole = tree.find(STATUS)
    folder = tree.real(FOLDER)
    parts = [(path, kept) for path, kept in tree.files() if path.rpartition("/")[0] == folder]
    described = [(path, kept) for path, kept in sorted(parts) if not path.endswith(_CHECKSUMS)]
    return ([(STATUS, whole)] if whole else []) + described


def find_packages(files: list[tuple[str, Kept]], ecosystem: str) -> Iterator[Found]:
    """The packages that a database of these files tells of, and what of it could not be read."""
    release = ecosystem.partition(":")[2]
    for path, kept in files:
        if not kept.file.is_whole:
            yield unreadable(path, kept, kept.file.problem or f"It is larger than {LARGEST} bytes.")
            continue
        packages = list(read_status(kept.file.body or b""))
        layers = _first_layers(packages, kept)
        for told in packages:
            if isinstance(told, str):
                yield unreadable(path, kept, told)
            else:
                yield _package(told, ecosystem, release, layers[told], path)


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


def _first_layers(packages: Iterable[Installed | str], kept: Kept) -> Mapping[Installed | str, str]:
    """For each package, the layer from which on the database has told of that same version."""
    left = set(packages)
    layers = dict.fromkeys(left, kept.layer)
    for older in islice(history(kept), 1, None):
        left &= set(read_status(older.file.body or b""))
        if not left:
            break
        layers |= dict.fromkeys(left, older.layer)
    return layers


def _package(installed: Installed, ecosystem: str, release: str, layer: str, path: str) -> Package:
    qualifiers = {"arch": installed.arch, "distro": f"debian-{release}"}
    return Package(
        ecosystem=ecosystem,
        name=installed.name,
        version=installed.version,
        arch=installed.arch,
        source_name=installed.source_name,
        source_version=installed.source_version,
        purl=PackageURL("deb", "debian", installed.name, installed.version, qualifiers).to_string(),
        layer=layer,
        path=printable(path),
    )
