"""Programs of Go, laid out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.model import Inventory
from scanner.inventory.programs.component import Component
from scanner.inventory.programs.reading import PROGRAM, read_components
from scanner.layers.holding import Held
from scanner.layers.wishes import NoEssence

from tests.factories.images import digest_of, file, hard_link, layer, os_release, symlink, wheel
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.programs import MAGIC, elf, first_section, inline_info, pointed_elf

MODULES = "path\texample.com/app\nmod\texample.com/app\tv1.0.0\th1:x=\ndep\texample.com/a\tv1.2.3\th1:y=\n"
NAMED = [("Go", "example.com/a", "v1.2.3"), ("Go", "example.com/app", "v1.0.0"), ("Go", "stdlib", "1.22.1")]


def program(version: str = "go1.22.1", modules: str = MODULES) -> bytes:
    return elf({".go.buildinfo": inline_info(version, modules)})


def found_in(body: bytes) -> Inventory:
    return inventory_of(file("srv/app", body))


def attempt(body: bytes) -> list[Component] | str:
    """What a program tells, or the sentence in which it is refused."""
    with Held(len(body)) as held:
        held.add(0, [memoryview(body)])
        try:
            return read_components(PROGRAM.extract(held) or b"")
        except NoEssence as problem:
            assert str(problem).endswith("."), "a sentence"  # noqa: PT017
            return str(problem)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_forms(*, wide: bool, big: bool, named: bool) -> None:
    info = {".data": bytes(100), ".go.buildinfo": inline_info("go1.22.1", MODULES)}
    assert names(found_in(elf(info, wide=wide, big=big, named=named))) == NAMED
    assert names(found_in(pointed_elf("go1.22.1", MODULES, wide=wide, big=big))) == NAMED


@pytest.mark.parametrize(
    ("version", "standard_library"),
    [
        ("go1.26.8", ["1.26.8"]),
        ("go1.21", ["1.21"]),
        ("go1.22.5 X:boringcrypto,arenas", ["1.22.5"]),
        ("go1.20.3 (Red Hat 1.20.3-1.el9)", ["1.20.3"]),
        ("go1.18.5b7", ["1.18.5"]),
        ("go1.24.4-microsoft", ["1.24.4"]),
        ("go1.21rc2", ["1.21-rc.2"]),
        ("go1.9beta1", ["1.9-beta.1"]),
        ("devel go1.23-5e8a2b9 Tue Jan 2", []),
        ("devel +5e8a2b9", []),
        ("weekly.2011", []),
    ],
)
def test_the_version_of_the_standard_library(version: str, standard_library: list[str]) -> None:
    found = found_in(program(version))
    assert [one.version for one in found.packages if one.name == "stdlib"] == standard_library
    assert len(found.packages) == len(standard_library) + 2


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("mod\tx.org/a\tv2.0.0+incompatible\t", ("Go", "x.org/a", "v2.0.0+incompatible")),
        ("mod\tx.org/a\tv1.2.0+dirty\t", ("Go", "x.org/a", "v1.2.0+dirty")),
        ("mod\tx.org/a\t(devel)\t", ("generic", "x.org/a", "(devel)")),
        ("mod\tx.org/a\tv0.0.0-2024-abcdef+dirty\t", ("generic", "x.org/a", "v0.0.0-2024-abcdef+dirty")),
        ("dep\tx.org/a\tv0.0.0-2024-abcdef\th1:x=", ("Go", "x.org/a", "v0.0.0-2024-abcdef")),
        ("dep\tx.org/a\tv1.0.0\n=>\tx.org/b\tv1.0.1\th1:x=", ("Go", "x.org/b", "v1.0.1")),
        ("dep\tx.org/a\tv1.0.0\n=>\t../b\t(devel)\t", ("generic", "x.org/a", "(devel)")),
        ("dep\tx.org/a\t(devel)\t", ("generic", "x.org/a", "(devel)")),
    ],
)  # fmt: skip
def test_modules(line: str, package: tuple[str, str, str]) -> None:
    assert names(found_in(program(modules=f"path\tx\n{line}\nbuild\tGOOS=linux\n"))) == sorted([NAMED[2], package])


def test_nothing_is_said_of_modules() -> None:
    assert names(found_in(program(modules=""))) == [NAMED[2]]
    assert names(found_in(pointed_elf("go1.16", ""))) == [("Go", "stdlib", "1.16")]


@pytest.mark.parametrize(
    "body",
    [
        elf({".go.buildinfo": inline_info("go1.22.1", MODULES)[:-1]}),
        elf({".go.buildinfo": inline_info("go1.22.1", MODULES)[:20]}),
        elf({".go.buildinfo": MAGIC + bytes([8, 2]) + bytes(16) + b"\xff" * 12}),
        elf({".go.buildinfo": MAGIC + bytes([5, 0]) + bytes(16)}),
        elf({".go.buildinfo": MAGIC + bytes([8, 0]) + bytes(16)}),
        elf({".go.buildinfo": b"something else, of no use here...."}),
        elf({".go.buildinfo": inline_info("", MODULES)}),
        program(modules="dep\tx.org/a\n"),
        program(modules="dep\tx.org/a\tv1\n=>\tx.org/b\n"),
        program(modules="mod\t\tv1.0.0\t\n"),
    ],
)
def test_broken_information_is_named(body: bytes) -> None:
    found = found_in(body)
    assert [(one.path, one.problem) for one in found.unreadable] == [
        ("srv/app", "It is a program of Go whose build information can't be read.")
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"\x7fELF",
        b"\x7fELF" + bytes(200),
        elf({".text": b"code"}),
        elf({".text": b"code"}, named=False),
        elf({".rodata": b"x" + MAGIC}),
        elf({".rodata": b"x" + inline_info("go1.22.1")}, named=False),
        elf({".go.buildinfo": inline_info("go1.22.1")}, kind=1),
        b"MZ" + bytes(100),
        b"MZ" + b"\xff" * 100,
        b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100),
        b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(100),
        b"\xcf\xfa\xed\xfe" + b"\xff" * 60,
    ],
)
def test_what_is_no_program_of_go(body: bytes) -> None:
    found = inventory_of(file("srv/app", body), wheel("a", "1"))
    assert names(found) == [("PyPI", "a", "1")]
    assert found.unreadable == ()


def test_code_is_not_held_where_it_lies_apart() -> None:
    body = bytearray(elf({".text": bytes(4000)}))
    whole = PROGRAM.choose(bytes(body[:4096]), len(body))
    assert any(first_section() + 100 in part for part in whole)
    body[64 + 4 : 64 + 8] = (5).to_bytes(4, "little")
    body[64 + 8 : 64 + 16] = (first_section()).to_bytes(8, "little")
    apart = PROGRAM.choose(bytes(body[:4096]), len(body))
    assert not any(first_section() + 100 in part for part in apart)


def test_a_module_belongs_to_the_layer_that_brought_its_version() -> None:
    base = layer(file("srv/app", program()))
    upper = layer(file("srv/app", program(modules=MODULES.replace("v1.2.3", "v1.2.4"))))
    layers = {one.name: one.layer for one in inventory(base, upper).packages}
    assert layers == {
        "stdlib": digest_of(base.blob),
        "example.com/app": digest_of(base.blob),
        "example.com/a": digest_of(upper.blob),
    }


def test_a_program_under_several_names() -> None:
    found = inventory_of(file("srv/app", program()), hard_link("srv/other", "srv/app"), symlink("srv/link", "app"))
    assert sorted({one.path for one in found.packages}) == ["srv/app", "srv/other"]


def test_a_program_without_a_version_alone_is_not_taken_for_clean() -> None:
    found = found_in(program("devel +1", "mod\tx.org/a\t(devel)\t\n"))
    assert names(found) == [("generic", "x.org/a", "(devel)")]
    assert found.unsupported is not None


def test_names_come_before_content() -> None:
    found = inventory_of(file("a.dist-info/METADATA", program()), os_release())
    assert [one.path for one in found.unreadable] == ["a.dist-info/METADATA"]


@given(st.binary(max_size=400), st.sampled_from([b"", *PROGRAM.begins, elf({".go.buildinfo": b""})]))
def test_garbage_is_nothing_or_refused_in_a_sentence(body: bytes, begin: bytes) -> None:
    PROGRAM.choose(begin + body, len(begin + body))
    assert not isinstance(attempt(begin + body), bytes)


@given(st.data())
def test_damage_gives_modules_or_a_sentence(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([program(), pointed_elf("go1.16", MODULES), pointed_elf("go1.16", "", wide=False)])
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    PROGRAM.choose(bytes(damaged[:4096]), len(damaged))
    for one in attempt(bytes(damaged[: data.draw(st.integers(1, len(damaged)))])):
        assert isinstance(one, str) or one.name
