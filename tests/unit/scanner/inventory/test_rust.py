"""Programs of Rust with cargo-auditable's list, laid out by hand."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.model import Evidence, Inventory

from tests.factories.images import file
from tests.factories.inventories import inventory_of, names
from tests.factories.programs import auditable, elf, inline_info

CRATES: list[dict[str, object]] = [
    {"name": "app", "version": "0.1.0", "source": "local", "dependencies": [1, 2, 3], "root": True},
    {"name": "serde", "version": "1.0.200", "source": "crates.io"},
    {"name": "fork", "version": "2.0.0", "source": "git", "kind": "runtime"},
    {"name": "cc", "version": "1.0.90", "source": "crates.io", "kind": "build"},
    {"name": "inner", "version": "3.0.0", "source": "registry"},
    {"name": "odd", "version": "1.0.0", "source": "Some text"},
]


def found_in(section: bytes) -> Inventory:
    return inventory_of(file("srv/app", elf({".rodata": b"x", ".dep-v0": section})))


def test_crates() -> None:
    found = found_in(auditable(CRATES))
    assert sorted((one.ecosystem, one.purl) for one in found.packages) == [
        ("crates.io", "pkg:cargo/serde@1.0.200"),
        ("generic", "pkg:cargo/app@0.1.0?source=local"),
        ("generic", "pkg:cargo/fork@2.0.0?source=git"),
        ("generic", "pkg:cargo/inner@3.0.0?source=registry"),
        ("generic", "pkg:cargo/odd@1.0.0?source=other"),
    ]
    assert {(one.path, one.evidence) for one in found.packages} == {("srv/app", Evidence.BINARY)}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (b"no zlib", "can't be read"),
        (auditable(CRATES)[:-8], "ends too early"),
        (zlib.compress(b" " * 9_000_000), "too large"),
        (zlib.compress(b"{}"), "can't be read"),
        (zlib.compress(b"["), "can't be read"),
        (zlib.compress(b'{"packages": ' + b"[" * 99_999), "can't be read"),
        (zlib.compress(b'{"packages": [{"name": "\xff"}]}'), "can't be read"),
        (auditable([{"name": "a b", "version": "1.0.0", "source": "crates.io"}]), "no crate"),
        (auditable([{"name": "a", "version": "", "source": "crates.io"}]), "no crate"),
        (auditable([{"name": "a", "version": "1.0.0", "source": "crates.io"}] * 50_001), "more than 50000"),
    ],
)
def test_broken_lists_are_named(section: bytes, says: str) -> None:
    found = found_in(section)
    assert [(one.path, says in one.problem) for one in found.unreadable] == [("srv/app", True)]


def test_a_program_of_two_languages() -> None:
    found = inventory_of(file("a", elf({".go.buildinfo": inline_info("go1.22.1"), ".dep-v0": auditable(CRATES[1:2])})))
    assert names(found) == [("Go", "stdlib", "1.22.1"), ("crates.io", "serde", "1.0.200")]


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_the_reading(body: bytes, compressed: bool) -> None:  # drawn by hypothesis
    found = found_in(zlib.compress(json.dumps({"packages": []}).encode() + body) if compressed else body)
    assert all(one.problem.endswith(".") for one in found.unreadable)
