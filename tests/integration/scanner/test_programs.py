"""What programs tell that real compilers and linkers have made."""

from pathlib import Path

import pytest
from scanner.inventory.model import Evidence

from tests.factories.images import file, layer
from tests.factories.inventories import inventory, inventory_of
from tests.factories.programs import (
    MAGIC,
    auditable,
    fat,
    go_program,
    go_sources,
    run_tool,
    rust_program,
    with_section,
)

WRITTEN = [
    ("Go", "example.com/fork/new", "v1.1.0", "pkg:golang/example.com/fork/new@v1.1.0"),
    ("Go", "example.com/plain", "v1.4.0", "pkg:golang/example.com/plain@v1.4.0"),
    ("generic", "example.com/app", "(devel)", "pkg:golang/example.com/app"),
    ("generic", "example.com/here", "(devel)", "pkg:golang/example.com/here"),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_sources(tmp_path_factory.mktemp("go"))


def told(program: bytes) -> list[tuple[str, str, str, str]]:
    """Ecosystem, name, version and package URL of what a program was built from, the standard library last."""
    found = inventory_of(file("opt/app", program))
    assert (found.unreadable, found.unsupported) == ((), None)
    assert {(one.path, one.evidence) for one in found.packages} == {("opt/app", Evidence.BINARY)}
    listed = sorted((one.ecosystem, one.name, one.version, one.purl) for one in found.packages)
    return sorted(listed, key=lambda one: one[1] == "stdlib")


def standard_library() -> tuple[str, str, str, str]:
    version = run_tool("go", "env", "GOVERSION").strip().split()[0].removeprefix("go")
    return "Go", "stdlib", version, f"pkg:golang/stdlib@{version}"


@pytest.mark.needs("go")
@pytest.mark.parametrize("system", ["linux/amd64", "windows/amd64", "darwin/arm64"])
def test_a_program_of_go(sources: Path, system: str) -> None:
    assert told(go_program(sources, system)) == [*WRITTEN, standard_library()]


@pytest.mark.needs("go")
def test_programs_of_go_without_symbols_sections_or_notes(sources: Path) -> None:
    bare = bytearray(go_program(sources, "linux/amd64", "-ldflags=-s -w -buildid="))
    assert told(bytes(bare)) == [*WRITTEN, standard_library()]
    bare[0x28:0x30], bare[0x3C:0x40] = bytes(8), bytes(4)
    assert told(bytes(bare)) == [*WRITTEN, standard_library()]


@pytest.mark.needs("go")
@pytest.mark.parametrize("wide", [False, True])
def test_several_programs_in_one_file(sources: Path, wide: bool) -> None:
    program = go_program(sources, "darwin/arm64")
    assert told(fat(program, program, wide=wide)) == [*WRITTEN, standard_library()]


@pytest.mark.needs("go")
@pytest.mark.parametrize("system", ["linux/amd64", "windows/amd64", "darwin/arm64"])
def test_damaged_programs_give_modules_or_a_sentence(sources: Path, system: str) -> None:
    whole = go_program(sources, system)
    at = whole.index(MAGIC)
    places = [*range(0, 1024, 7), *range(at, at + 200, 5), *range(len(whole) - 2000, len(whole), 90)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        found = inventory(layer(file("opt/app", bytes(damaged)), compression=""))
        assert all(one.problem.endswith(".") for one in found.unreadable)


CRATES = [
    {"name": "app", "version": "0.1.0", "source": "local"},
    {"name": "serde", "version": "1.0.0", "source": "crates.io"},
]
LISTED = [
    ("crates.io", "serde", "1.0.0", "pkg:cargo/serde@1.0.0"),
    ("generic", "app", "0.1.0", "pkg:cargo/app@0.1.0?source=local"),
]


@pytest.mark.needs("rustc")
@pytest.mark.parametrize("flags", [(), ("-g",), ("-Cstrip=symbols",)])
def test_a_program_of_rust_with_a_list_of_crates(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert told(rust_program(tmp_path, auditable(CRATES), *flags)) == LISTED


@pytest.mark.needs("objcopy")
def test_a_program_with_a_list_that_is_not_loaded(tmp_path: Path) -> None:
    run_tool("cc", "-x", "c", "-o", tmp_path / "app", str(_main_of_c(tmp_path)))
    assert told(with_section(tmp_path / "app", ".dep-v0", auditable(CRATES), tmp_path)) == LISTED


def _main_of_c(folder: Path) -> Path:
    source = folder / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    return source
