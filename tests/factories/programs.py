"""Programs: some that Go's own linker makes, and others laid out by hand."""

import json
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest

MAGIC = b"\xff Go buildinf:"
_FRAMES = (bytes.fromhex("3077af0c9274080241e1c107e6d618e6"), bytes.fromhex("f932433186182072008242104116d8f2"))
_BASE = 0x400000
_GO_MOD = """\
module example.com/app
go 1.20
require (
    example.com/plain v1.4.0
    example.com/old v1.0.0
    example.com/here v1.0.0
)
replace example.com/old => example.com/fork/new v1.1.0
replace example.com/here => ./here
"""
_VENDORED = """\
# example.com/plain v1.4.0
## explicit; go 1.20
example.com/plain
# example.com/old v1.0.0 => example.com/fork/new v1.1.0
## explicit; go 1.20
example.com/old
# example.com/here v1.0.0 => ./here
## explicit; go 1.20
example.com/here
# example.com/old => example.com/fork/new v1.1.0
# example.com/here => ./here
"""
_MAIN = """\
package main
import ("example.com/plain"; "example.com/old"; "example.com/here")
func main() { println(plain.Word, old.Word, here.Word) }
"""


def go_sources(folder: Path) -> Path:
    """A module of Go with three modules in `vendor`: one as it is, one replaced by a module, one by a folder."""
    files = {
        "go.mod": _GO_MOD,
        "vendor/modules.txt": _VENDORED,
        "main.go": _MAIN,
        "here/go.mod": "module example.com/here\ngo 1.20\n",
    }
    for name in ("plain", "old", "here"):
        files[f"vendor/example.com/{name}/word.go"] = f'package {name}\nvar Word = "{name}"\n'
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def run_tool(program: str, *arguments: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Run a tool of the machine's. Skips where it has none; in CI that is a failure."""
    if shutil.which(program) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, *arguments], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def go_program(sources: Path, system: str, *flags: str) -> bytes:
    """A program that Go builds of these sources, for a system and machine such as `linux/amd64`; nothing is fetched."""
    name, _, machine = system.partition("/")
    made = sources / f"app-{name}-{machine}"
    run_tool(
        "go",
        "build",
        "-mod=vendor",
        "-buildvcs=false",
        *flags,
        "-o",
        made,
        ".",
        folder=sources,
        GOOS=name,
        GOARCH=machine,
        CGO_ENABLED="0",
        GOPROXY="off",
        GOFLAGS="",
        GOTOOLCHAIN="local",
    )
    return made.read_bytes()


def framed(modules: str) -> bytes:
    """A list of modules as Go's linker has it."""
    return _FRAMES[0] + modules.encode() + _FRAMES[1] if modules else b""


def inline_info(version: str, modules: str = "") -> bytes:
    """Build information as since Go 1.18."""
    return MAGIC + bytes([8, 2]) + bytes(16) + b"".join(_counted(text) for text in (version.encode(), framed(modules)))


def _counted(text: bytes) -> bytes:
    length, number = len(text), b""
    while length > 0x7F:
        number += bytes([length & 0x7F | 0x80])
        length >>= 7
    return number + bytes([length]) + text


def elf(
    sections: Mapping[str, bytes], *, kind: int = 2, wide: bool = True, big: bool = False, named: bool = True
) -> bytes:
    """An ELF file with these sections, in one segment of data that is loaded at 0x400000; not `named`, without a table.

    The sections begin at `first_section(wide)` and are aligned to 16 bytes.
    """
    order, word = ">" if big else "<", "Q" if wide else "I"
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    body, rows = b"", [(0, 0, 0, 0, 0)]
    for name, content in sections.items():
        offset = first_section(wide=wide) + len(body)
        rows.append((names.index(name.encode()), 1, _BASE + offset, offset, len(content)))
        body += content + bytes(-len(content) % 16)
    end = first_section(wide=wide) + len(body)
    rows.append((names.index(b".shstrtab"), 3, 0, end, len(names)))
    segment = (6, 0, _BASE, _BASE, end, end, 16)
    loaded = struct.pack(
        f"{order}I{'I' if wide else ''}{word * 5}{'' if wide else 'I'}{word}",
        1,
        *(segment if wide else (*segment[1:6], 6, 16)),
    )
    table = b"".join(
        struct.pack(f"{order}II{word * 4}II{word * 2}", name, type_, 0, address, offset, size, 0, 0, 1, 0)
        for name, type_, address, offset, size in rows
    )
    count, at = (len(rows), end + len(names)) if named else (0, 0)
    header = struct.pack(
        f"{order}HHI{word * 3}IHHHHHH",
        kind,
        62,
        1,
        0,
        64,
        at,
        0,
        64,
        len(loaded),
        1,
        len(table) // len(rows),
        count,
        max(count - 1, 0),
    )
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + bytes(9)
    head = (ident + header).ljust(64, b"\0") + loaded
    return head.ljust(first_section(wide=wide), b"\0") + body + (names + table if named else b"")


def first_section(*, wide: bool = True) -> int:
    """Where the first section of `elf` begins."""
    return 128 if wide else 96


def pointed_elf(version: str, modules: str, *, wide: bool = True, big: bool = False) -> bytes:
    """An ELF file with build information as before Go 1.18: two pointers to texts that lie elsewhere."""
    size = 8 if wide else 4
    order: Literal["big", "little"] = "big" if big else "little"
    begin = _BASE + first_section(wide=wide)
    texts = [version.encode(), framed(modules)]
    places = [begin + 32 + 2 * size * number for number in (0, 1)]
    starts = [begin + 32 + 4 * size, begin + 32 + 4 * size + len(texts[0])]
    header = MAGIC + bytes([size, int(big)]) + b"".join(place.to_bytes(size, order) for place in places)
    strings = b"".join(
        start.to_bytes(size, order) + len(text).to_bytes(size, order) for start, text in zip(starts, texts, strict=True)
    )
    return elf({".go.buildinfo": header.ljust(32, b"\0") + strings + b"".join(texts)}, wide=wide, big=big)


def auditable(crates: Sequence[Mapping[str, object]]) -> bytes:
    """A list of crates as cargo-auditable has it in its section."""
    return zlib.compress(json.dumps({"packages": crates}).encode())


def with_section(program: Path, name: str, content: bytes, folder: Path) -> bytes:
    """A program with one more section, which objcopy adds."""
    (folder / "content").write_bytes(content)
    made = folder / "with-section"
    flags = ("--set-section-flags", f"{name}=noload,readonly")
    run_tool("objcopy", "--add-section", f"{name}={folder / 'content'}", *flags, program, made)
    return made.read_bytes()


def rust_program(folder: Path, section: bytes, *flags: str) -> bytes:
    """A program that rustc builds, into which the linker puts a list of crates where cargo-auditable has it put."""
    (folder / "list").write_bytes(section)
    (folder / "list.s").write_text(
        f'.section .dep-v0,"a"\n.globl AUDITABLE\nAUDITABLE:\n.incbin "{folder / "list"}"\n'
        '.section .note.GNU-stack,"",@progbits\n'
    )
    (folder / "main.rs").write_text('fn main() { println!("hello"); }\n')
    run_tool("cc", "-c", "-o", folder / "list.o", folder / "list.s")
    link = (f"-Clink-arg={folder / 'list.o'}", "-Clink-arg=-Wl,--undefined=AUDITABLE")
    run_tool("rustc", *link, *flags, "-o", folder / "app", folder / "main.rs")
    return (folder / "app").read_bytes()


def fat(*programs: bytes, wide: bool = False) -> bytes:
    """Programs of macOS in one file."""
    rows, body, at = b"", b"", 4096
    for program in programs:
        rows += (
            struct.pack(">iiQQII", 0, 0, at, len(program), 12, 0)
            if wide
            else struct.pack(">iiIII", 0, 0, at, len(program), 12)
        )
        body += program + bytes(-len(program) % 4096)
        at += len(program) + -len(program) % 4096
    magic = 0xCAFEBABF if wide else 0xCAFEBABE
    return (struct.pack(">II", magic, len(programs)) + rows).ljust(4096, b"\0") + body
