"""Programs known by their names, and the texts in them that tell their versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.model import Evidence
from scanner.risk.assess import inventory_facts
from scanner.risk.model import RiskState

from tests.factories.images import digest_of, dpkg_record, dpkg_status, file, layer, os_release, wheel
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.programs import elf, inline_info

REDIS = b"7.2.4"
TEXTS = [
    ("usr/local/bin/node", b"\0node.js/v20.20.2\0", "Bitnami", "node", "20.20.2"),
    ("usr/local/bin/python3.12", b"\0/x/Python-3.12.1\0", "Bitnami", "python", "3.12.1"),
    ("usr/local/lib/libpython3.13.so.1.0", b"\0003.13.0rc2\0", "Bitnami", "python", "3.13.0-rc.2"),
    ("opt/nginx", b"\0nginx version: nginx/1.25.3\0", "Bitnami", "nginx", "1.25.3"),
    ("opt/redis-server", REDIS + b"buildkitsandbox-1704812345000000000\0", "Bitnami", "redis", "7.2.4"),
    ("opt/redis-server", REDIS + b"4f00aabbccdd-1704812345000000000\0", "Bitnami", "redis", "7.2.4"),
    ("opt/redis-server", b"7.0.15" + b"1790282056000000000\0", "Bitnami", "redis", "7.0.15"),
    ("opt/openssl", b"\0OpenSSL 1.1.1w  11 Sep 2023\0", "generic", "openssl", "1.1.1w"),
    ("opt/lib/libcrypto.so.3", b"\0OpenSSL 3.0.19 27 Jan 2026\0", "generic", "openssl", "3.0.19"),
    ("opt/busybox", b"\0BusyBox v1.36.1 (2024-01-01)\0", "generic", "busybox", "1.36.1"),
    ("bin/busybox", b"\0BusyBox v1.36.1 (2024-01-01)\0", "generic", "busybox", "1.36.1"),
    ("usr/bin/bash", b"\0@(#)Bash version 5.2.15(1) release GNU\0", "generic", "bash", "5.2.15"),
    ("opt/php-fpm", b"\0X-Powered-By: PHP/8.4.0RC1\0", "Bitnami", "php", "8.4.0-rc.1"),
    ("opt/libruby.so.3.1", b"\0ruby 3.1.2p20 (2022-04-12 revision 44)\0", "Bitnami", "ruby", "3.1.2"),
    ("opt/perl5.38.0", b"\0/usr/local/lib/perl5/5.38.0\0", "generic", "perl", "5.38.0"),
    ("opt/haproxy", b"\0002.8.3-86e043a\0", "Bitnami", "haproxy", "2.8.3"),
    ("opt/httpd", b"\0Apache/2.4.58 (Unix)\0", "Bitnami", "apache", "2.4.58"),
    ("opt/postgres", b"\0PostgreSQL 16.1 on x86_64\0", "Bitnami", "postgresql", "16.1"),
    ("opt/memcached", b"\0memcached 1.6.18\0", "Bitnami", "memcached", "1.6.18"),
    ("opt/mariadbd", b"\00010.11.19-MariaDB\0", "Bitnami", "mariadb", "10.11.19"),
    ("opt/curl", b"\0curl 8.5.0 (x86_64)\0", "generic", "curl", "8.5.0"),
    ("opt/libcurl.so.4.8.0", b"\0libcurl/8.5.0\0", "generic", "curl", "8.5.0"),
]


@pytest.mark.parametrize(("path", "text", "ecosystem", "name", "version"), TEXTS)
def test_texts(path: str, text: bytes, ecosystem: str, name: str, version: str) -> None:
    [package] = inventory_of(file(path, elf({".rodata": b"x" * 2**20 + text + b"1.2.3\0" * 9}))).packages
    assert (package.ecosystem, package.name, package.version) == (ecosystem, name, version)
    assert (package.purl, package.evidence) == (f"pkg:generic/{name}@{version}", Evidence.CLASSIFIER)
    assert package.path == path


@pytest.mark.parametrize("text", [text for _, text, *_ in TEXTS])
def test_the_same_texts_elsewhere_tell_nothing(text: bytes) -> None:
    found = inventory_of(file("opt/other", elf({".rodata": text})), file("opt/node", b"#!/bin/sh\n" + text))
    assert found.packages == ()


def test_files_that_toolchains_and_runtimes_bring() -> None:
    found = inventory_of(
        file("usr/local/go/VERSION", "go1.26.8\ntime 2026-08-28T16:20:06Z\n"),
        file("opt/java/release", 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="25.0.3"\nOS_ARCH="x86_64"\n'),
        file("opt/old/release", 'JAVA_VERSION="1.8.0_392"\nOS_NAME="Linux"\nOS_ARCH="amd64"\n'),
        file("opt/go/VERSION", "1.0\n"),
        file("etc/release", "JAVA_VERSION=\n"),
        file("app/release", 'JAVA_VERSION="17.0.1"\n'),
    )
    assert names(found) == [
        ("Bitnami", "java", "25.0.3"),
        ("Bitnami", "java", "8.0.392"),
        ("Go", "toolchain", "1.26.8"),
    ]
    assert {one.evidence for one in found.packages} == {Evidence.CLASSIFIER}


def test_no_text_changes_what_is_known_of_an_image() -> None:
    node = file("usr/local/bin/node", elf({".rodata": TEXTS[0][1]}))
    debian = [os_release(), dpkg_status(dpkg_record("a", "1"))]
    facts = inventory_facts(inventory_of(*debian, node))
    assert (facts.state, facts.ecosystems) == (RiskState.SCANNED, ("Debian:12",))
    assert inventory_facts(inventory_of(node)).state is RiskState.UNSUPPORTED
    assert inventory_facts(inventory_of(node, wheel("a", "1"))).ecosystems == ("PyPI",)


@pytest.mark.parametrize("body", [b"", b"#!/bin/sh\n", elf({".rodata": b"\0BusyBox v1.36.1 (2024)\0"})])
def test_a_shell_that_nobody_owns_still_counts(body: bytes) -> None:
    found = inventory_of(file("bin/busybox", body), wheel("a", "1"))
    assert found.gaps == ("No package database says which version /bin/busybox is of.",)


def test_what_the_distribution_owns_is_marked() -> None:
    node = file("usr/bin/node", elf({".rodata": TEXTS[0][1]}))
    found = inventory_of(
        os_release(),
        dpkg_status(dpkg_record("nodejs", "18.20.4+dfsg-1~deb12u1")),
        file("var/lib/dpkg/info/nodejs.list", "/.\n/usr\n/usr/bin\n/usr/bin/node\n"),
        node,
    )
    assert [(one.name, one.owner) for one in found.packages] == [("nodejs", ""), ("node", "nodejs")]


def test_a_program_of_go_under_a_known_name() -> None:
    found = inventory_of(file("opt/nginx", elf({".go.buildinfo": inline_info("go1.22.1"), ".rodata": TEXTS[3][1]})))
    assert names(found) == [("Bitnami", "nginx", "1.25.3"), ("Go", "stdlib", "1.22.1")]


def test_a_version_belongs_to_the_layer_that_brought_it() -> None:
    one = layer(file("opt/node", elf({".rodata": TEXTS[0][1]})))
    other = layer(file("opt/node", elf({".rodata": TEXTS[0][1] + b"other"})))
    assert [package.layer for package in inventory(one, other).packages] == [digest_of(one.blob)]


@given(st.sampled_from(TEXTS), st.binary(max_size=200), st.binary(max_size=200))
def test_nothing_around_a_text_breaks_it(told: tuple[str, bytes, str, str, str], one: bytes, other: bytes) -> None:
    path, text, *_ = told
    found = inventory_of(file(path, elf({".rodata": one + text + other})))
    assert found.unreadable == ()
