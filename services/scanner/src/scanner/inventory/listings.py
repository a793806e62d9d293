"""Files that list packages: their essence is the list, so that a large one takes little."""

import io
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from scanner.inventory.analyzer import Files, Found
from scanner.inventory.essences import pack, problem_of, unpack
from scanner.inventory.evidence import demand_few, unreadable
from scanner.inventory.model import Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.purls import purl_of
from scanner.layers.paths import printable
from scanner.layers.wishes import Essence, NoEssence

_NAME = re.compile(r"[^\s\0]{1,256}(?<![/:])")
_VERSION = re.compile(r"[^\s\0]{1,256}")
_ARCH = re.compile(r"[^\s\0]{1,64}")
_LARGEST = 16 * 2**20
_MOST_OBJECTS = 500_000
"""Objects in a document: a small one could make many, each of which takes more memory than it is long."""
_MARK = b"\xef\xbb\xbf"

T = TypeVar("T")


class Listed(msgspec.Struct, frozen=True):
    """A package that is listed; `arch` is the platform of a gem that is made for one."""

    name: str
    version: str
    arch: str = ""


class Read(Protocol):
    """Reads a file: its packages, and a sentence for each entry that can't be read. Raises NoEssence, LimitExceeded."""

    __name__: str

    def __call__(self, body: bytes, /) -> Iterable[Listed | str]: ...


def listed(name: str, version: str, arch: str = "") -> Listed | str:
    """An entry, or the sentence that it names no package."""
    if not _NAME.fullmatch(name):
        return "An entry names no package."
    if not _VERSION.fullmatch(version):
        return f"The entry of {name} gives no version."
    return Listed(name, version, arch if _ARCH.fullmatch(arch) else "")


def listing(read: Read) -> Essence:
    """What is wanted of a file that lists packages."""

    def extract(file: BinaryIO) -> bytes | None:
        told = list(dict.fromkeys(demand_few(read(file.read().removeprefix(_MARK)))))
        return pack(read.__name__, told) if told else None

    return Essence(extract, _LARGEST)


def decode_json(body: bytes, kind: type[T]) -> T:
    """A document, of which what `kind` does not have is passed over. Raises NoEssence."""
    if body.count(b"{") > _MOST_OBJECTS:
        raise NoEssence(f"It holds more than {_MOST_OBJECTS} objects.")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NoEssence(f"It can't be read: {problem}.") from problem


def lines_of(body: bytes) -> Iterator[str]:
    """The lines of a text in UTF-8, without their ends. Raises NoEssence."""
    try:
        for line in io.TextIOWrapper(io.BytesIO(body), "utf-8"):
            yield line.rstrip("\n")
    except UnicodeDecodeError as problem:
        raise NoEssence(f"It is no text: {problem}.") from problem


def each_listed(files: Files, read: Read, ecosystem: str, evidence: Evidence) -> Iterator[Found]:
    """The packages of an ecosystem (OSV's name) that files list which are kept as their `listing` by `read`."""
    for path, kept in files:
        if problem := problem_of(kept, read.__name__):
            yield unreadable(path, kept, problem)
            continue
        for told, layer in first_layer(kept, partial(_told, read.__name__)):
            if isinstance(told, str):
                yield unreadable(path, kept, told)
            else:
                yield _package(told, ecosystem, layer, path, evidence)


def _told(form: str, body: bytes) -> list[Listed | str]:
    return unpack(form, body, list[Listed | str]) or []


def _package(told: Listed, ecosystem: str, layer: str, path: str, evidence: Evidence) -> Package:
    purl = purl_of(ecosystem, told.name, told.version, told.arch)
    return Package(
        ecosystem, told.name, told.version, told.arch, "", "", purl, layer, printable(path), evidence=evidence
    )
