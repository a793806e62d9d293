"""Which distribution an image is of, and what its releases are called in advisories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.distributions import FORERUNNERS, read_distribution, read_forerunner

from tests.factories.images import Member, file
from tests.factories.inventories import inventory_of


def named(name: str, version: str, title: str = "") -> str | None:
    found = read_distribution(f'ID="{name}"\nVERSION_ID="{version}"\nNAME="{title}"\n'.encode())
    assert found is not None
    assert bool(found.manager) == (found.ecosystem is not None)
    return found.ecosystem


@pytest.mark.parametrize(
    ("name", "version", "ecosystem"),
    [
        ("debian", "12", "Debian:12"),
        ("debian", "", None),
        ("ubuntu", "22.04", "Ubuntu:22.04:LTS"),
        ("ubuntu", "23.04", "Ubuntu:23.04"),
        ("ubuntu", "24.10", "Ubuntu:24.10"),
        ("ubuntu", "core", None),
        ("alpine", "3.20.3", "Alpine:v3.20"),
        ("alpine", "3.21.0_alpha20240807", "Alpine:edge"),
        ("alpaquita", "23", "Alpaquita:23"),
        ("alpaquita", "stream", "Alpaquita:stream"),
        ("wolfi", "20230201", "Wolfi"),
        ("chainguard", "20230214", "Chainguard"),
        ("rhel", "9.4", "Red Hat:9"),
        ("centos", "7", "CentOS:7"),
        ("fedora", "40", "Fedora:40"),
        ("rocky", "9.4", "Rocky Linux:9"),
        ("almalinux", "8.10", "AlmaLinux:8"),
        ("ol", "9.4", "Oracle Linux:9"),
        ("amzn", "2023", "Amazon Linux:2023"),
        ("amzn", "2", "Amazon Linux:2"),
        ("amzn", "2018.03", "Amazon Linux:1"),
        ("sles", "15.5", "SUSE:Linux Enterprise Server 15 SP5"),
        ("sles", "15", "SUSE:Linux Enterprise Server 15"),
        ("opensuse-leap", "15.6", "openSUSE:Leap 15.6"),
        ("opensuse-tumbleweed", "20240801", "openSUSE:Tumbleweed"),
        ("photon", "5.0", "Photon OS:5.0"),
        ("azurelinux", "3.0", "Azure Linux:3"),
        ("mariner", "2.0.20240802", "Azure Linux:2"),
        ("linuxmint", "21", None),
        ("raspbian", "12", None),
    ],
)
def test_releases(name: str, version: str, ecosystem: str | None) -> None:
    assert named(name, version) == ecosystem


def test_centos_stream_is_another_distribution_than_centos() -> None:
    assert named("centos", "9", "CentOS Stream") == "CentOS Stream:9"


@pytest.mark.parametrize(
    ("path", "line", "ecosystem"),
    [
        ("etc/redhat-release", "CentOS release 6.10 (Final)", "CentOS:6"),
        ("etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)", "Red Hat:6"),
        ("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)", "CentOS:7"),
        ("etc/redhat-release", "Red Hat Enterprise Linux release 9.4 (Plow)", "Red Hat:9"),
        ("etc/oracle-release", "Oracle Linux Server release 6.10", "Oracle Linux:6"),
        ("etc/fedora-release", "Fedora release 20 (Heisenbug)", "Fedora:20"),
        ("etc/system-release", "Amazon Linux AMI release 2018.03", "Amazon Linux:1"),
        ("etc/redhat-release", "Rocky Linux release 8.9 (Green Obsidian)", "Rocky Linux:8"),
        ("etc/redhat-release", "AlmaLinux release 8.9 (Midnight Oncilla)", "AlmaLinux:8"),
        ("etc/alpine-release", "3.12.1", "Alpine:v3.12"),
        ("etc/debian_version", "10.3", "Debian:10"),
    ],
)
def test_forerunners(path: str, line: str, ecosystem: str) -> None:
    found = inventory_of(file(path, line + "\n"))
    assert found.distribution is not None
    assert found.distribution.ecosystem == ecosystem


@pytest.mark.parametrize(
    "members",
    [
        [file("etc/debian_version", "trixie/sid\n")],
        [file("etc/redhat-release", "Some Linux release 3\n")],
        [file("etc/system-release", "")],
        [file("etc/motd-release", "Fedora release 20\n")],
    ],
)
def test_what_names_no_distribution_that_is_known(members: list[Member]) -> None:
    assert inventory_of(*members).distribution is None


def test_os_release_counts_before_its_forerunners() -> None:
    found = inventory_of(file("etc/debian_version", "10.3\n"), file("usr/lib/os-release", "ID=linuxmint\n"))
    assert found.distribution is not None
    assert found.distribution.ecosystem is None


@given(st.sampled_from(FORERUNNERS), st.binary(max_size=300))
def test_garbage_names_nothing_or_something_known(path: str, body: bytes) -> None:
    found = read_forerunner(path, body)
    assert found is None or (found.ecosystem and found.manager and found.version_id in body.decode("utf-8", "replace"))
