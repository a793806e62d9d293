"""Packages of dpkg."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.dpkg import Installed, read_status

from tests.factories.images import dpkg_record, dpkg_status, file, layer, os_release, symlink, whiteout
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.shared_data import SHARED, needs_shared_data


@needs_shared_data
@pytest.mark.parametrize("name", ["bullseye-main", "bookworm-main"])
def test_a_real_installation(name: str) -> None:
    folder = SHARED / "images" / name
    found = inventory_of(
        file("var/lib/dpkg/status", (folder / "status").read_bytes()),
        file("usr/lib/os-release", (folder / "os-release").read_bytes()),
        symlink("etc/os-release", "../usr/lib/os-release"),
    )
    expected = json.loads((folder / "expected-packages.json").read_text())
    listed = expected["packages"] if isinstance(expected, dict) else expected
    keys = ("package", "version", "arch", "source", "source_version")
    assert sorted(
        (one.name, one.version, one.arch, one.source_name, one.source_version) for one in found.packages
    ) == sorted(tuple(one[key] for key in keys) for one in listed)
    assert (found.gaps, found.unreadable, found.unsupported) == ((), (), None)


def test_a_package_with_everything() -> None:
    record = dpkg_record("bash", "5.2.15-2+b2", source="bash (5.2.15-2)")
    image_layer = layer(os_release(), dpkg_status(record))
    [package] = inventory(image_layer).packages
    assert package.ecosystem == "Debian:12"
    assert (package.name, package.version, package.arch) == ("bash", "5.2.15-2+b2", "amd64")
    assert (package.source_name, package.source_version) == ("bash", "5.2.15-2")
    assert package.purl == "pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12"
    assert (package.layer, package.path) == (image_layer.digest, "var/lib/dpkg/status")


@pytest.mark.parametrize(
    ("status", "is_there"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("install ok half-configured", True),
        ("install ok triggers-pending", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
    ],
)
def test_what_is_on_disk_counts(status: str, is_there: bool) -> None:
    found = inventory_of(os_release(), dpkg_status(dpkg_record("a", "1"), dpkg_record("b", "2", status=status)))
    assert ("Debian:12", "b", "2") in names(found) or not is_there
    assert len(found.packages) == 1 + is_there


def test_distroless() -> None:
    found = inventory_of(
        os_release(),
        file("var/lib/dpkg/status.d/bHliYw", dpkg_record("libc6", "2.36-9", source="glibc", status="")),
        file("var/lib/dpkg/status.d/tzdata", dpkg_record("tzdata", "2024a", status="")),
        file("var/lib/dpkg/status.d/libc6.md5sums", "d41d8cd98f00b204e9800998ecf8427e  x\n"),
    )
    assert [(one.name, one.source_name, one.source_version) for one in found.packages] == [
        ("libc6", "glibc", "2.36-9"),
        ("tzdata", "tzdata", "2024a"),
    ]
    assert found.gaps == ()


def test_a_database_behind_a_link() -> None:
    found = inventory_of(
        os_release(), symlink("var/lib/dpkg", "/usr/share/dpkg"), file("usr/share/dpkg/status", dpkg_record("a", "1"))
    )
    assert names(found) == [("Debian:12", "a", "1")]


def test_a_package_belongs_to_the_layer_that_brought_its_version() -> None:
    base = layer(
        os_release(), dpkg_status(dpkg_record("old", "1"), dpkg_record("risen", "1"), dpkg_record("gone", "1"))
    )
    middle = layer(dpkg_status(dpkg_record("old", "1"), dpkg_record("risen", "2")))
    top = layer(dpkg_status(dpkg_record("old", "1"), dpkg_record("risen", "2"), dpkg_record("new", "1")))
    found = inventory(base, middle, top)
    assert {one.name: one.layer for one in found.packages} == {
        "old": base.digest,
        "risen": middle.digest,
        "new": top.digest,
    }


def test_a_version_that_was_away_belongs_to_the_layer_that_brought_it_back() -> None:
    layers = [layer(os_release(), dpkg_status(dpkg_record("a", version))) for version in ("1", "2", "1")]
    assert [one.layer for one in inventory(*layers).packages] == [layers[2].digest]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("Status: install ok installed\nVersion: 1\n\n", "names no package"),
        ("Package: a b\nVersion: 1\n\n", "names no package"),
        ("Package: a\nStatus: install ok installed\n\n", "gives no version"),
        ("Package: a\nVersion: 1\nSource: b (2\n\n", "source that can't be read"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(record: str, says: str) -> None:
    found = inventory_of(os_release(), dpkg_status(record, dpkg_record("good", "1")))
    assert names(found) == [("Debian:12", "good", "1")]
    assert [says in one.problem for one in found.unreadable] == [True]
    assert [one.path for one in found.unreadable] == ["var/lib/dpkg/status"]


@pytest.mark.parametrize(
    "layers",
    [
        [layer(os_release())],
        [layer(os_release(), dpkg_status())],
        [layer(os_release(), dpkg_status(dpkg_record("a", "1"))), layer(whiteout("var/lib/dpkg"))],
        [layer(os_release(), symlink("var/lib/dpkg", "/elsewhere"), file("elsewhere/status", dpkg_record("a", "1")))],
    ],
    ids=["no database", "an empty one", "a removed one", "one out of reach"],
)
def test_debian_without_a_readable_database_is_incomplete(layers: list[object]) -> None:
    found = inventory(*layers)  # type: ignore[arg-type]
    assert found.unsupported is None
    assert len(found.gaps) == 1
    assert "package database of dpkg could not be read" in found.gaps[0]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    for told in read_status(body):
        assert isinstance(told, Installed | str)
