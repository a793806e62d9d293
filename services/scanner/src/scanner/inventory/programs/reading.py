"""From a program as it streams by to what it tells of what it was built from."""

from collections.abc import Iterator, Sequence

from scanner.inventory.essences import pack, unpack
from scanner.inventory.programs import elf, go, macho, pe, rust
from scanner.inventory.programs.component import Component
from scanner.inventory.programs.layout import HEAD, Layout
from scanner.layers.wishes import Glance, Parts

_FORM = "program"
"""What essences are marked with."""

_SECTIONS = (*go.SECTIONS, rust.SECTION)
_READERS = (go.read, rust.read)


def choose(head: bytes, size: int) -> Sequence[range]:
    """Which parts of a program are needed."""
    if head.startswith(elf.MAGIC):
        return elf.choose(head, size)
    if head.startswith(pe.MAGIC):
        return pe.choose(head, size)
    return macho.choose(head, size)


def essence(parts: Parts) -> bytes | None:
    """What a program tells, for `read_components`; None where that is nothing. Raises NoEssence."""
    told = [one for program, layout in _programs(parts) for read in _READERS for one in read(program, layout)]
    return pack(_FORM, list(dict.fromkeys(told))) if told else None


def read_components(body: bytes) -> list[Component]:
    """The components of an essence, each once; none of a file that was kept for another reason."""
    return unpack(_FORM, body, list[Component]) or []


def _programs(parts: Parts) -> Iterator[tuple[Parts, Layout]]:
    begin = parts.read(0, len(elf.MAGIC))
    form = elf if begin == elf.MAGIC else pe if begin.startswith(pe.MAGIC) else macho
    for program in macho.programs(parts) if form is macho else [parts]:
        if layout := form.read(program, _SECTIONS):
            yield program, layout


PROGRAM = Glance((elf.MAGIC, pe.MAGIC, *macho.MAGICS, *macho.FAT), HEAD, choose, essence)
