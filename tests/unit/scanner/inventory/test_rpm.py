"""Packages of rpm's databases."""

import io
import sqlite3
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.model import Evidence, Inventory
from scanner.inventory.rpm import Installed, essence, read_installed
from scanner.inventory.rpmdb import headers as tags
from scanner.inventory.rpmdb.errors import DatabaseMalformed
from scanner.inventory.rpmdb.headers import parse_header
from scanner.layers.wishes import NoEssence

from tests.factories.images import digest_of, file, layer, os_release
from tests.factories.inventories import inventory, inventory_of
from tests.factories.rpms import header, ndb_database, raw_header, sqlite_database

ROCKY = os_release(b'ID="rocky"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n')
BASH = header("bash", "5.1.8", "9.el9", ARCH="x86_64", SOURCE_RPM="bash-5.1.8-9.el9.src.rpm")
OPENSSL = header("openssl-libs", "3.0.7", "27.el9", EPOCH=1, ARCH="x86_64", SOURCE_RPM="openssl-3.0.7-27.el9.src.rpm")
NODE = header("nodejs", "18.19.0", "1.module+el9", MODULARITY_LABEL="nodejs:18:9030020240110:rhel9")
KEY = header("gpg-pubkey", "350d275d", "6279464b")

Form = Callable[[Sequence[bytes]], bytes]
FORMS = pytest.mark.parametrize(
    ("form", "path"),
    [
        (sqlite_database, "var/lib/rpm/rpmdb.sqlite"),
        (sqlite_database, "usr/lib/sysimage/rpm/rpmdb.sqlite"),
        (ndb_database, "usr/lib/sysimage/rpm/Packages.db"),
        (ndb_database, "var/lib/rpm/Packages.db"),
    ],
)


def rocky(form: Form, path: str, *headers: bytes) -> Inventory:
    return inventory_of(ROCKY, file(path, form(headers)), file("usr/lib64/libc.so.6"))


def told(database: bytes) -> list[Installed | str]:
    return read_installed(essence(io.BytesIO(database)))


def attempt(database: bytes) -> list[Installed | str] | str:
    """What a database tells, or the sentence in which it is refused."""
    try:
        return told(database)
    except NoEssence as problem:
        assert str(problem).endswith("."), "a sentence"  # noqa: PT017
        return str(problem)


@FORMS
def test_packages(form: Form, path: str) -> None:
    found = rocky(form, path, BASH, OPENSSL, NODE, KEY)
    assert (found.gaps, found.unsupported, found.unreadable) == ((), None, ())
    bash, openssl, node = found.packages
    assert (bash.ecosystem, bash.name, bash.version, bash.arch) == ("Rocky Linux:9", "bash", "5.1.8-9.el9", "x86_64")
    assert (bash.path, bash.evidence, bash.module) == (path, Evidence.DATABASE, "")
    assert (openssl.version, openssl.source_name, openssl.source_version) == (
        "1:3.0.7-27.el9",
        "openssl",
        "3.0.7-27.el9",
    )
    assert openssl.purl == "pkg:rpm/rocky/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=rocky-9.4&epoch=1"
    assert node.module == "nodejs:18"


@FORMS
def test_a_broken_database_makes_the_image_incomplete(form: Form, path: str) -> None:
    whole = form([BASH])
    found = inventory_of(ROCKY, file(path, whole[: len(whole) // 2]))
    assert [one.path for one in found.unreadable] == [path]
    assert "its package database of rpm could not be read" in found.gaps[0]


def test_a_package_belongs_to_the_layer_that_brought_its_version() -> None:
    base = layer(ROCKY, file("var/lib/rpm/rpmdb.sqlite", sqlite_database([BASH, OPENSSL])))
    upper = layer(file("var/lib/rpm/rpmdb.sqlite", sqlite_database([BASH, NODE])))
    layers = {one.name: one.layer for one in inventory(base, upper).packages}
    assert layers == {"bash": digest_of(base.blob), "nodejs": digest_of(upper.blob)}


def test_a_lookalike_is_no_database() -> None:
    found = inventory_of(ROCKY, file("opt/rpm/rpmdb.sqlite", sqlite_database([BASH])))
    assert found.packages == ()
    assert "its package database of rpm could not be read" in found.gaps[0]


def test_records_that_can_not_be_read_are_named() -> None:
    database = sqlite_database([header("../x"), header("a", "1 2"), header("b", "1", "2-3"), BASH])
    assert told(database)[:3] == [
        "A record names no package.",
        "The record of a gives no version.",
        "The record of b gives no version.",
    ]


@pytest.mark.parametrize("label", ["(none)", "nodejs", ""])
def test_what_is_no_label_of_a_module_is_none(label: str) -> None:
    assert [getattr(one, "module", None) for one in told(sqlite_database([header("a", MODULARITY_LABEL=label)]))] == [
        ""
    ]


def test_a_view_that_never_ends_is_given_up() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
        " SELECT i AS hnum, x'00' AS blob FROM n"
    )
    hostile = connection.serialize()
    connection.close()
    with pytest.raises(NoEssence):
        essence(io.BytesIO(hostile))


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0" * 8,
        BASH[:-1],
        raw_header({tags.NAME: "a"})[:8] + b"\xff" * 16 + b"a\0",
        (70_000).to_bytes(4, "big") + BASH[4:],
    ],
)
def test_headers_that_are_broken(blob: bytes) -> None:
    with pytest.raises(DatabaseMalformed):
        parse_header(blob)


def test_a_tag_of_another_type_is_refused() -> None:
    with pytest.raises(NoEssence):
        told(sqlite_database([raw_header({tags.NAME: 5, tags.VERSION: "1", tags.RELEASE: "1"})]))


@given(st.binary(max_size=400), st.sampled_from([b"", b"RpmP", b"SQLite format 3\0", b"\0" * 12 + b"\x61\x15\x06\0"]))
def test_garbage_is_refused_in_a_sentence(body: bytes, begin: bytes) -> None:
    outcome = attempt(begin + body)
    assert outcome == [] or isinstance(outcome, str)


@given(st.data())
def test_damage_gives_packages_or_a_sentence(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([sqlite_database, ndb_database]))
    damaged = bytearray(form([BASH, OPENSSL]))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 6000) - 1))] = data.draw(st.integers(0, 255))
    for one in attempt(bytes(damaged)):
        assert isinstance(one, str) or (one.name and one.version)
