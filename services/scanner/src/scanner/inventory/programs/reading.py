"""From a program as it streams by to what it tells of what it was built from."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO

from scanner.inventory.essences import pack, unpack
from scanner.inventory.programs import elf, go, known, macho, pe, rust
from scanner.inventory.programs.component import Component
from scanner.inventory.programs.layout import HEAD, LARGEST, Layout
from scanner.layers.holding import Held
from scanner.layers.wishes import Essence, Glance, Parts

_FORM = "program"
"""What essences are marked with."""

_SECTIONS = (*go.SECTIONS, rust.SECTION)
_READERS = (go.read, rust.read)
_LARGEST_SHELL = 16 * 2**20


def choose(head: bytes, size: int) -> Sequence[range]:
    """Which parts of a program are needed."""
    if head.startswith(elf.MAGIC):
        return elf.choose(head, size)
    if head.startswith(pe.MAGIC):
        return pe.choose(head, size)
    return macho.choose(head, size)


def essence(parts: Parts) -> bytes | None:
    """What a program tells, for `read_components`; None where that is nothing. Raises NoEssence."""
    return _pack(_built_from(parts))


def essence_of_known(name: str, parts: Parts) -> bytes | None:
    """As `essence`, of what may be the program of that name in known.py."""
    return _pack([*_built_from(parts), *known.search(parts, name)])


def essence_of_shell(name: str, file: BinaryIO) -> bytes:
    """As `essence_of_known`, of a file that counts whatever it tells; it is read whole."""
    body = file.read()
    with Held(len(body)) as held:
        held.add(0, [memoryview(body)])
        return pack(_FORM, known.search(held, name))


def _pack(told: Sequence[Component]) -> bytes | None:
    return pack(_FORM, list(dict.fromkeys(told))) if told else None


def _built_from(parts: Parts) -> list[Component]:
    return [one for program, layout in _programs(parts) for read in _READERS for one in read(program, layout)]


def read_components(body: bytes) -> list[Component]:
    """The components of an essence, each once; none of a file that was kept for another reason."""
    return unpack(_FORM, body, list[Component]) or []


def _programs(parts: Parts) -> Iterator[tuple[Parts, Layout]]:
    begin = parts.read(0, len(elf.MAGIC))
    form = elf if begin == elf.MAGIC else pe if begin.startswith(pe.MAGIC) else macho
    for program in macho.programs(parts) if form is macho else [parts]:
        if layout := form.read(program, _SECTIONS):
            yield program, layout


def _whole(head: bytes, size: int) -> Sequence[range]:
    """All of a program, and of one that is too large its first bytes beside what is needed of any."""
    return [range(min(size, LARGEST)), *(choose(head, size) if size > LARGEST else ())]


_BEGINS = (elf.MAGIC, pe.MAGIC, *macho.MAGICS, *macho.FAT)
PROGRAM = Glance(_BEGINS, HEAD, choose, essence)
"""What is wanted of any program."""


def known_program(name: str) -> Glance:
    """What is wanted of what may be the program of that name in known.py."""
    return Glance(_BEGINS, HEAD, _whole, partial(essence_of_known, name))


def known_shell(name: str) -> Essence:
    """What is wanted of a shell of that name, which tells something by being there."""
    return Essence(partial(essence_of_shell, name), _LARGEST_SHELL)
