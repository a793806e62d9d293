"""What cargo-auditable writes into a program of Rust: the crates that it was built from.

Format: cargo-auditable's PARSING.md: a section of JSON, compressed by zlib.
"""

import re
import zlib

import msgspec

from scanner.inventory.programs.component import Component, Kind
from scanner.inventory.programs.layout import Layout
from scanner.layers.wishes import NoEssence, Parts

SECTION = ".dep-v0"

_LARGEST = 8 * 2**20
"""Bytes of the list, compressed or not."""
_MOST = 50_000
_CRATES_IO = "crates.io"
_AT_RUNTIME = "runtime"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,256}", re.ASCII)
_SOURCE = re.compile(r"[a-z][a-z.-]{0,31}", re.ASCII)
_OTHER = "other"


class _Crate(msgspec.Struct, frozen=True):
    name: str
    version: str
    source: str
    kind: str = _AT_RUNTIME


class _List(msgspec.Struct, frozen=True):
    packages: list[_Crate]


def read(parts: Parts, layout: Layout) -> list[Component]:
    """The crates in a program, without those that only built it; nothing where it has no list. Raises NoEssence."""
    section = layout.section(SECTION)
    if section is None:
        return []
    try:
        listed = msgspec.json.decode(_unpack(parts.read(section.offset, min(section.size, _LARGEST + 1))), type=_List)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NoEssence(f"Its list of crates can't be read: {problem}.") from problem
    if len(listed.packages) > _MOST:
        raise NoEssence(f"It lists more than {_MOST} crates.")
    return [_component(crate) for crate in listed.packages if crate.kind == _AT_RUNTIME]


def _unpack(body: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    unpacked = decompressor.decompress(body, _LARGEST)
    if not decompressor.eof:
        raise NoEssence("Its list of crates is too large, or ends too early.")
    return unpacked


def _component(crate: _Crate) -> Component:
    if not _NAME.fullmatch(crate.name) or not _VERSION.fullmatch(crate.version):
        raise NoEssence("Its list of crates names something that is no crate.")
    origin = crate.source if _SOURCE.fullmatch(crate.source) else _OTHER
    return Component(Kind.RUST, crate.name, crate.version, "" if crate.source == _CRATES_IO else origin)
