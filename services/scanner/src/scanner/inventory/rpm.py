"""Packages of rpm, by its database, in whichever of its three forms.

A database may be large, and most of it is not about what is installed: its essence is kept, one record a package.
"""

import re
from collections.abc import Iterator, Sequence, Set
from itertools import islice
from typing import BinaryIO

import msgspec
from packageurl import PackageURL

from scanner.inventory.analyzer import Analyzer, Files, Found, Image, Owned, Wanted
from scanner.inventory.essences import pack, problem_of, unpack
from scanner.inventory.evidence import unreadable
from scanner.inventory.model import Distribution, Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.ownership.rpm import MOST_NAMES, OwnedFile, files_of
from scanner.inventory.rpmdb import headers
from scanner.inventory.rpmdb.errors import DatabaseMalformed
from scanner.inventory.rpmdb.headers import Header, parse_header
from scanner.inventory.rpmdb.reading import read_headers
from scanner.layers.paths import printable
from scanner.layers.tree import Tree
from scanner.layers.wishes import Essence, NoEssence

_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_NAMES = ("rpmdb.sqlite", "Packages.db", "Packages")
_PATHS = tuple(f"{folder}/{name}" for folder in _FOLDERS for name in _NAMES)
_FORM = "database of rpm"
_LARGEST = 2 * 2**30
_MOST_FILES = 100_000
"""Files that are kept of all packages together."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,255}", re.ASCII)
_PART = re.compile(r"[^\s:-]{1,128}")
_SOURCE = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")
_MODULE = re.compile(r"([^:]{1,128}:[^:]{1,128})(?::.*)?")
_KEY = "gpg-pubkey"
"""What rpm calls the keys that it trusts: it keeps them like packages."""


class Installed(msgspec.Struct, frozen=True):
    """A package as rpm's database has it.

    `version` is epoch, version and release (`1:2.3-4.el9`, the epoch only where it has one); `source_version` has no
    epoch, as the source package's name tells none. `module` is name and stream.
    """

    name: str
    version: str
    arch: str
    source_name: str
    source_version: str
    module: str


class _Told(msgspec.Struct, frozen=True):
    """What an essence tells of packages; it is read without what it tells of files, which is more."""

    packages: list[Installed | str]


class _ToldOfFiles(msgspec.Struct, frozen=True):
    files: list[OwnedFile]


def essence(file: BinaryIO) -> bytes:
    """What a database tells, for `read_installed` and `read_files`. Raises NoEssence."""
    packages: list[Installed | str] = []
    files: list[OwnedFile] = []
    names = MOST_NAMES
    try:
        for header in map(parse_header, read_headers(file)):
            one = _installed(header)
            packages.extend([one] if one else [])
            names -= header.count(headers.BASE_NAMES)
            if isinstance(one, Installed) and names >= 0:
                owned_by = files_of(header, (one.name, one.version, one.arch))
                files.extend(islice(owned_by, _MOST_FILES - len(files)))
    except DatabaseMalformed as problem:
        raise NoEssence(f"It is no database of rpm that can be read: {problem}") from problem
    return pack(_FORM, {"packages": packages, "files": files})


def read_installed(body: bytes) -> list[Installed | str]:
    """Each package of an essence; for a record that can't be read, a sentence that says why."""
    told = unpack(_FORM, body, _Told)
    return told.packages if told else []


def read_files(body: bytes) -> list[OwnedFile]:
    """The files of packages by an essence, as far as they may tell of packages of languages."""
    told = unpack(_FORM, body, _ToldOfFiles)
    return told.files if told else []


def database(tree: Tree) -> Files:
    """The files of rpm's database; empty where there is none."""
    real = {tree.real(path): path for path in reversed(_PATHS)}
    return [(path, kept) for path in sorted(real.values()) if (kept := tree.find(path))]


def find_packages(image: Image) -> Iterator[Found]:
    """The packages that the database tells of, and what of it could not be read."""
    distribution = image.distribution
    if distribution is None or distribution.manager != "rpm":
        return
    for path, kept in database(image.tree):
        if problem := problem_of(kept, _FORM):
            yield unreadable(path, kept, problem)
            continue
        for told, layer in first_layer(kept, read_installed):
            yield unreadable(path, kept, told) if isinstance(told, str) else _package(told, distribution, layer, path)


def owned(image: Image, installed: Sequence[Package], names: Set[str]) -> Iterator[Owned]:
    """The files of these names that packages own."""
    owners = {(one.name, one.version, one.arch): one for one in installed}
    for _, kept in database(image.tree):
        for file in read_files(kept.file.body or b""):
            owner = owners.get((file.name, file.version, file.arch))
            if owner and file.path.rpartition("/")[2] in names:
                yield Owned(file.path, owner, file.digest)


def _installed(header: Header) -> Installed | str | None:
    name, version, release = (header.text(tag) for tag in (headers.NAME, headers.VERSION, headers.RELEASE))
    if name == _KEY:
        return None
    if not _NAME.fullmatch(name):
        return "A record names no package."
    if not _PART.fullmatch(version) or not _PART.fullmatch(release):
        return f"The record of {name} gives no version."
    epoch = next(iter(header.numbers(headers.EPOCH)), 0)
    source = _SOURCE.fullmatch(header.text(headers.SOURCE_RPM))
    module = _MODULE.fullmatch(header.text(headers.MODULARITY_LABEL))
    return Installed(
        name=name,
        version=f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}",
        arch=header.text(headers.ARCH)[:64],
        source_name=source[1] if source else "",
        source_version=source[2] if source else "",
        module=module[1] if module else "",
    )


def _package(installed: Installed, distribution: Distribution, layer: str, path: str) -> Package:
    epoch, colon, plain = installed.version.rpartition(":")
    qualifiers = {"arch": installed.arch, "distro": f"{distribution.id}-{distribution.version_id}".rstrip("-")}
    qualifiers |= {"epoch": epoch} if colon else {}
    return Package(
        ecosystem=distribution.ecosystem or "",
        name=installed.name,
        version=installed.version,
        arch=installed.arch,
        source_name=installed.source_name,
        source_version=installed.source_version,
        purl=PackageURL("rpm", distribution.id, installed.name, plain, qualifiers).to_string(),
        layer=layer,
        path=printable(path),
        module=installed.module,
        evidence=Evidence.DATABASE,
    )


ANALYZER = Analyzer(
    name="rpm",
    version=2,
    wanted={"rpm": Wanted(r"rpm/(?:rpmdb\.sqlite|Packages(?:\.db)?)", Essence(essence, _LARGEST))},
    find=find_packages,
    manager="rpm",
    database=database,
    needed=_PATHS,
    owned=owned,
)
