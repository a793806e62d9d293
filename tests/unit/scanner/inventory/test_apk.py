"""Packages of apk's database."""

from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.apk import Installed, read_installed
from scanner.inventory.model import Evidence

from tests.factories.images import digest_of, file, layer, os_release, symlink
from tests.factories.inventories import inventory, inventory_of

ALPINE = os_release(b'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n')
MUSL = """C:Q1S2o1bQrPXSlGoHOSYCwcGJCi+ls=
P:musl
V:1.2.5-r0
A:x86_64
S:407278
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Somebody <somebody@example.org>
t:1711048421
c:1f3a
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1mHbgWbfJd3CBXN5r8QVtdS3Ztng=
"""
SSL = "P:libssl3\nV:3.3.1-r0\nA:x86_64\no:openssl\n"


def test_packages_with_their_origins() -> None:
    found = inventory_of(ALPINE, file("lib/apk/db/installed", f"{MUSL}\n{SSL}\n"), file("lib/libc.musl-x86_64.so.1"))
    assert (found.gaps, found.unsupported, found.unreadable) == ((), None, ())
    musl, ssl = found.packages
    assert (musl.ecosystem, musl.name, musl.version, musl.arch) == ("Alpine:v3.20", "musl", "1.2.5-r0", "x86_64")
    assert (ssl.source_name, ssl.source_version) == ("openssl", "3.3.1-r0")
    assert ssl.purl == "pkg:apk/alpine/libssl3@3.3.1-r0?arch=x86_64&distro=alpine-3.20.1"
    assert (ssl.path, ssl.evidence) == ("lib/apk/db/installed", Evidence.DATABASE)


def test_the_database_of_merged_directories() -> None:
    wolfi = os_release(b"ID=wolfi\nVERSION_ID=20230201\n")
    assert [one.name for one in inventory_of(wolfi, file("usr/lib/apk/db/installed", SSL)).packages] == ["libssl3"]
    linked = inventory_of(wolfi, symlink("lib", "usr/lib"), file("usr/lib/apk/db/installed", SSL))
    assert [one.ecosystem for one in linked.packages] == ["Wolfi"]


def test_a_package_belongs_to_the_layer_that_brought_its_version() -> None:
    base = layer(ALPINE, file("lib/apk/db/installed", f"{MUSL}\n"))
    upper = layer(file("lib/apk/db/installed", f"{MUSL}\n{SSL}\n"))
    layers = {one.name: one.layer for one in inventory(base, upper).packages}
    assert layers == {"musl": digest_of(base.blob), "libssl3": digest_of(upper.blob)}


def test_a_lookalike_is_no_database() -> None:
    found = inventory_of(ALPINE, file("app/lib/apk/db/installed", SSL))
    assert found.packages == ()
    assert "its package database of apk could not be read" in found.gaps[0]


def test_records_that_can_not_be_read_are_named() -> None:
    told = list(read_installed(b"V:1\n\nP:a\n\nP:b\nV:1\no:../x y\n\nP:c\nV:2-r0\n"))
    assert told == [
        "A record names no package.",
        "The record of a gives no version.",
        "The record of b gives an origin that can't be read.",
        Installed("c", "2-r0", "", "c"),
    ]


@given(st.binary(max_size=500))
def test_garbage_gives_packages_or_sentences(body: bytes) -> None:
    for told in read_installed(body):
        assert told.endswith(".") if isinstance(told, str) else told.name and told.version
