"""What Go's linker writes into a program: the toolchain and the modules that it was built from.

Format: Go's package debug/buildinfo; for the list of modules, BuildInfo in runtime/debug.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from scanner.inventory.programs.component import LOCAL, Component, Kind
from scanner.inventory.programs.layout import Layout, Section
from scanner.layers.wishes import NoEssence, Parts

SECTIONS = (".go.buildinfo", "__go_buildinfo")
STANDARD_LIBRARY = "stdlib"
NO_VERSION = "(devel)"
"""What Go says of a module without a version."""

_MAGIC = b"\xff Go buildinf:"
_ALIGNED = 16
_HEADER = 32
_BIG, _INLINE = 1, 2
_CHUNK = 2**20
_LONGEST = 8 * 2**20
"""Bytes of the list of modules."""
_LONGEST_NUMBER, _MORE = 10, 0x80
_FRAME = 16
"""Bytes before and after the list of modules."""
_MAIN, _DEPENDENCY, _REPLACED = "mod", "dep", "=>"
_WITHOUT_SUM = 3
"""Columns of a module's line: what it is, path, version, and perhaps a checksum."""
_TOOLCHAIN = re.compile(r"go([0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:(beta|rc)([0-9]+))?(?![0-9.])")
_UNTAGGED = re.compile(r"v0\.0\.0(?:[-+].*)?")
"""A main module's version where its repository had no tag: less than every version that has one, whatever it holds."""


class _Broken(Exception):
    """The information can't be read."""


def read(parts: Parts, layout: Layout) -> list[Component]:
    """The standard library, the main module and its dependencies, each as replaced; nothing of no program of Go.

    Raises NoEssence for a program of Go that does not say what it was built from.
    """
    named = layout.section(*SECTIONS)
    section = named or layout.data
    if section is None:
        return []
    at = _find(parts, section)
    if at is None and named is None:
        return []
    try:
        return list(_components(*_texts(parts, layout, section, at)))
    except _Broken as problem:
        raise NoEssence("It is a program of Go whose build information can't be read.") from problem


def _find(parts: Parts, section: Section) -> int | None:
    """Where in the file the information begins."""
    size = min(section.size, parts.size - section.offset)
    for chunk in range(-section.address % _ALIGNED, size, _CHUNK):
        data = parts.read(section.offset + chunk, min(_CHUNK, size - chunk))
        at = data.find(_MAGIC)
        while at >= 0 and at % _ALIGNED:
            at = data.find(_MAGIC, at + 1)
        if at >= 0:
            return section.offset + chunk + at
    return None


def _texts(parts: Parts, layout: Layout, section: Section, at: int | None) -> tuple[str, str]:
    """The toolchain's version, and the list of modules."""
    header = b"" if at is None else parts.read(at, _HEADER)
    if at is None or len(header) < _HEADER:
        raise _Broken
    if header[15] & _INLINE:
        end = section.offset + section.size
        version, after = _string(parts, at + _HEADER, end)
        modules, _ = _string(parts, after, end)
    else:
        version, modules = _pointed(parts, layout, header)
    framed = len(modules) > 2 * _FRAME and modules[-_FRAME - 1 : -_FRAME] == b"\n"
    modules = modules[_FRAME:-_FRAME] if framed else b""
    return version.decode("utf-8", "replace"), modules.decode("utf-8", "replace")


def _string(parts: Parts, at: int, end: int) -> tuple[bytes, int]:
    """A text that follows its length, and where it ends."""
    length = 0
    for used, byte in enumerate(parts.read(at, min(_LONGEST_NUMBER, end - at)), 1):
        length |= (byte & ~_MORE) << 7 * (used - 1)
        if not byte & _MORE:
            return _exactly(parts.read(at + used, min(length, _LONGEST, end - at - used)), length), at + used + length
    raise _Broken


def _pointed(parts: Parts, layout: Layout, header: bytes) -> tuple[bytes, bytes]:
    """The texts that two pointers lead to, as before Go 1.18: each to the address of a text and its length."""
    size, order = header[14], _order(header)
    if size not in {4, 8}:
        raise _Broken

    def text(pointer: bytes) -> bytes:
        place = _exactly(layout.at(parts, int.from_bytes(pointer, order), 2 * size), 2 * size)
        length = int.from_bytes(place[size:], order)
        return _exactly(layout.at(parts, int.from_bytes(place[:size], order), min(length, _LONGEST)), length)

    version = text(header[16 : 16 + size])
    modules = header[16 + size : 16 + 2 * size]
    return version, text(modules) if any(modules) else b""


def _order(header: bytes) -> Literal["big", "little"]:
    return "big" if header[15] & _BIG else "little"


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise _Broken
    return data


def _components(version: str, modules: str) -> Iterator[Component]:
    if not version:
        raise _Broken
    if toolchain := _TOOLCHAIN.match(version):
        release, stage, number = toolchain.groups()
        yield Component(Kind.GO, STANDARD_LIBRARY, f"{release}-{stage}.{number}" if stage else release)
    lines = [line.split("\t") for line in modules.split("\n")]
    for line, following in pairwise([*lines, [""]]):
        if line[0] in {_MAIN, _DEPENDENCY}:
            yield _module(line, following if following[0] == _REPLACED else None)


def _module(line: Sequence[str], replacement: Sequence[str] | None) -> Component:
    """A module by its line, and by the one after it where that says what it was replaced by."""
    for one in (line, replacement or line):
        if len(one) not in {_WITHOUT_SUM, _WITHOUT_SUM + 1} or not one[1]:
            raise _Broken
    _, name, version, *_ = replacement or line
    if version in {"", NO_VERSION}:
        return Component(Kind.GO, line[1], NO_VERSION, LOCAL)
    untagged = line[0] == _MAIN and _UNTAGGED.fullmatch(version)
    return Component(Kind.GO, name, version, LOCAL if untagged else "")
