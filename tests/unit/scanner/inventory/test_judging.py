"""What could not be looked into is never taken for clean."""

import pytest

from tests.factories.images import (
    DEBIAN_12,
    Member,
    dpkg_record,
    dpkg_status,
    file,
    node_module,
    os_release,
    symlink,
    wheel,
)
from tests.factories.inventories import inventory_of

DPKG = dpkg_status(dpkg_record("a", "1"))
ALPINE = os_release(b'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n')
MINT = os_release(b'ID=linuxmint\nVERSION_ID=21.3\nPRETTY_NAME="Linux Mint 21.3"\n')


def test_a_whole_debian() -> None:
    found = inventory_of(os_release(), DPKG, file("bin/sh"), file("lib/x86_64-linux-gnu/libc.so.6"))
    assert found.distribution is not None
    assert found.distribution.ecosystem == "Debian:12"
    assert found.distribution.pretty_name == "Debian GNU/Linux 12 (bookworm)"
    assert (found.gaps, found.unsupported, found.unreadable) == ((), None, ())


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([], "Nothing in it is known"),
        ([file("app/binary", "x")], "Nothing in it is known"),
        ([MINT, file("lib/apk/db/installed", "P:a\nV:1\n\n")], "Linux Mint 21.3"),
        ([MINT, wheel("a", "1")], "Linux Mint 21.3"),
        ([MINT, DPKG], "Linux Mint 21.3"),
        ([os_release(b"ID=ubuntu\nVERSION_ID='core'\n"), DPKG], "ubuntu core"),
        ([os_release(b'ID=debian\nPRETTY_NAME="Debian GNU/Linux trixie/sid"\n'), DPKG], "trixie/sid"),
        ([DPKG], "package database of dpkg, but no os-release"),
        ([os_release(b"nothing\n"), DPKG], "package database of dpkg, but no os-release"),
        ([file("lib/apk/db/installed"), wheel("a", "1")], "package database of apk, but no os-release"),
        ([file("var/lib/rpm/rpmdb.sqlite"), DPKG], "package database of dpkg and rpm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unsupported(members: list[Member], says: str) -> None:
    found = inventory_of(*members)
    assert found.unsupported is not None
    assert says in found.unsupported


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([file("bin/busybox"), wheel("a", "1")], "/bin/busybox"),
        ([file("lib/ld-musl-x86_64.so.1"), node_module("a", "1")], "/lib/ld-musl-x86_64.so.1"),
        ([file("usr/lib64/libc.so.6")], "/usr/lib64/libc.so.6"),
        ([ALPINE], "its package database of apk could not be read"),
        ([ALPINE, wheel("a", "1")], "its package database of apk could not be read"),
        ([ALPINE, DPKG], "its package database of apk could not be read"),
        ([symlink("bin/sh", "/opt/shell"), wheel("a", "1")], "/bin/sh"),
        ([os_release(), DPKG, file("var/lib/rpm/Packages")], "package database of rpm, which is not read"),
        ([os_release(), file("lib/apk/db/installed"), wheel("a", "1")], "dpkg could not be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_incomplete(members: list[Member], says: str) -> None:
    found = inventory_of(*members)
    assert found.unsupported is None
    assert says in found.gaps[0]


def test_language_packages_alone_are_judged_by_themselves() -> None:
    found = inventory_of(wheel("a", "1"), node_module("b", "1"), file("app/binary"))
    assert (found.distribution, found.gaps, found.unsupported) == (None, (), None)


@pytest.mark.parametrize(
    "members",
    [
        [file("usr/lib/os-release", DEBIAN_12)],
        [symlink("etc/os-release", "../usr/lib/os-release"), file("usr/lib/os-release", DEBIAN_12)],
        [symlink("etc/os-release", "/nix/store/abc-os-release"), file("nix/store/abc-os-release", DEBIAN_12)],
        [file("etc/os-release", DEBIAN_12), file("usr/lib/os-release", b"ID=alpine\n")],
    ],
    ids=["in usr", "linked", "linked elsewhere", "etc first"],
)
def test_where_os_release_lies(members: list[Member]) -> None:
    found = inventory_of(*members, DPKG)
    assert found.distribution is not None
    assert found.distribution.ecosystem == "Debian:12"


@pytest.mark.parametrize(
    ("body", "name", "version"),
    [
        (b'ID="debian"\nVERSION_ID="11"', "debian", "11"),
        (b"ID='debian'\nVERSION_ID=11", "debian", "11"),
        (b"# ID=no\nID=debian\r\nVERSION_ID=11\r\n", "debian", "11"),
        (b'ID=debian\nVERSION_ID="1\\"1"', "debian", '1"1'),
        (b'ID=debian\nVERSION_ID="$(x)"', "debian", "$(x)"),
    ],
)
def test_how_os_release_is_written(body: bytes, name: str, version: str) -> None:
    found = inventory_of(os_release(body))
    assert found.distribution is not None
    assert (found.distribution.id, found.distribution.version_id) == (name, version)


def test_an_os_release_that_is_too_large_is_unreadable() -> None:
    found = inventory_of(os_release(DEBIAN_12 + b"#" * 100_000), DPKG)
    assert [one.path for one in found.unreadable] == ["etc/os-release"]
    assert found.unsupported is not None
