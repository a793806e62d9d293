"""Documents of others: every version that is read, packages of every kind, and hostile ones."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL
from scanner.claims import reading
from scanner.claims.packages import claimed
from scanner.claims.reading import read_claim
from scanner.errors import InventoryMalformed, InventoryTooLarge
from scanner.inventory.distributions import recognised
from scanner.inventory.model import Claim, Distribution, Evidence, Origin, Package

from tests.factories.documents import cyclonedx, spdx

DEBIAN = recognised("debian", "12", "Debian GNU/Linux 12 (bookworm)")
DOCUMENT = "sha256:" + "d" * 64


def read(body: bytes, distribution: Distribution | None = None) -> Claim:
    return read_claim(body, distribution, Origin.GIVEN)


def names(claim: Claim) -> list[tuple[str, str, str]]:
    return [(package.ecosystem, package.name, package.version) for package in claim.packages]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        *((cyclonedx("pkg:npm/left-pad@1.0", version=one), f"CycloneDX {one}") for one in ("1.2", "1.4", "1.6")),
        *((spdx("pkg:npm/left-pad@1.0", version=f"SPDX-{one}"), f"SPDX {one}") for one in ("2.2", "2.3")),
        (b"\xef\xbb\xbf" + cyclonedx("pkg:npm/left-pad@1.0"), "CycloneDX 1.5"),
    ],
)
def test_every_format(body: bytes, form: str) -> None:
    claim = read(body)
    assert (claim.format, names(claim), claim.left_out) == (form, [("npm", "left-pad", "1.0")], {})
    assert claim.document == f"sha256:{hashlib.sha256(body).hexdigest()}"
    (package,) = claim.packages
    assert (package.evidence, package.layer, package.path) == (Evidence.CLAIM, "", claim.document)


@pytest.mark.parametrize(
    ("purl", "expected"),
    [
        ("pkg:npm/%40scope/tool@2.0", ("npm", "@scope/tool", "2.0")),
        ("pkg:pypi/demo@1.0", ("PyPI", "demo", "1.0")),
        ("pkg:maven/org.example/core@1.0?type=jar", ("Maven", "org.example:core", "1.0")),
        ("pkg:golang/github.com/a/b@v1.2.3#sub", ("Go", "github.com/a/b", "1.2.3")),
        ("pkg:cargo/serde@1.0.0", ("crates.io", "serde", "1.0.0")),
        ("pkg:gem/rails@7.0", ("RubyGems", "rails", "7.0")),
        ("pkg:composer/vendor/thing@1.0", ("Packagist", "vendor/thing", "1.0")),
        ("pkg:nuget/Newtonsoft.Json@13.0.1", ("NuGet", "Newtonsoft.Json", "13.0.1")),
        ("pkg:deb/debian/bash@5.2?distro=debian-11", ("Debian:11", "bash", "5.2")),
        ("pkg:deb/debian/bash@1%3A5.2?distro=debian-11.9", ("Debian:11", "bash", "1:5.2")),
        ("pkg:deb/debian/bash@5.2", ("Debian:12", "bash", "5.2")),
        ("pkg:deb/debian/bash@5.2?distro=bookworm", ("Debian:12", "bash", "5.2")),
        ("pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.18.4", ("Alpine:v3.18", "musl", "1.2.4-r2")),
        ("pkg:apk/alpine/musl@1.2.4-r2?distro=3.18.4", ("Alpine:v3.18", "musl", "1.2.4-r2")),
        ("pkg:rpm/redhat/curl@7.76-1?distro=redhat-9.3&epoch=2", ("Red Hat:9", "curl", "2:7.76-1")),
    ],
)
def test_a_package_url_names_a_package_of_an_ecosystem(purl: str, expected: tuple[str, str, str]) -> None:
    assert names(read(cyclonedx(purl), DEBIAN)) == [expected]


@pytest.mark.parametrize(
    ("purl", "reason"),
    [
        ("", "no package URL"),
        ("left-pad", "can't be read"),
        ("pkg:oci/app@sha256%3Aab", "of the type oci"),
        ("pkg:npm/left-pad", "empty"),
        ("pkg:npm/left%00pad@1.0", "no text"),
        ("pkg:deb/ubuntu/bash@5.2", "which release"),
        ("pkg:deb/alpine/bash@5.2?distro=alpine-3.18", "which release"),
        ("pkg:apk/plan9/bash@5.2?distro=plan9-4", "which release"),
        (f"pkg:npm/{'x' * 600}@1", "too long"),
        (f"pkg:npm/x@{'1' * 3000}", "can't be read"),
    ],
)
def test_what_is_no_package_is_counted_with_the_reason(purl: str, reason: str) -> None:
    claim = read(cyclonedx(purl, purl, "pkg:npm/good@1.0"), DEBIAN)
    assert names(claim) == [("npm", "good", "1.0")]
    ((said, count),) = claim.left_out.items()
    assert reason in said
    assert count == 2


def test_a_version_beside_the_package_url_counts() -> None:
    components = [{"type": "library", "name": "x", "version": "3.0", "purl": "pkg:npm/x"}]
    assert names(read(cyclonedx(components=components))) == [("npm", "x", "3.0")]


def test_source_packages_as_tools_tell_of_them() -> None:
    purls = (
        "pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl%403.0.11-2&arch=amd64",
        "pkg:deb/debian/libbz2@1.0?upstream=bzip2",
        "pkg:rpm/fedora/bash@5.2-1?distro=fedora-39&upstream=bash-doc-5.1-3.src.rpm",
        "pkg:deb/debian/plain@1.0",
    )
    sources = [(one.name, one.source_name, one.source_version) for one in read(cyclonedx(*purls), DEBIAN).packages]
    assert sources == [
        ("libssl3", "openssl", "3.0.11-2"),
        ("libbz2", "bzip2", "1.0"),
        ("bash", "bash-doc", "5.1-3"),
        ("plain", "plain", "1.0"),
    ]


def test_components_within_components() -> None:
    inner = {"type": "library", "name": "b", "purl": "pkg:npm/b@1"}
    outer = {"type": "application", "name": "a", "components": [inner, inner]}
    claim = read(cyclonedx(components=[outer]))
    assert names(claim) == [("npm", "b", "1")]
    assert claim.left_out == {"It has no package URL.": 1}


def nested(depth: int) -> bytes:
    opening = '{"type": "library", "name": "a", "components": ['
    text = opening * depth + "]}" * depth
    return ('{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [' + text + "]}").encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"bomFormat": "CycloneDX"}',
        cyclonedx(version="1.1"),
        cyclonedx(version="2.0"),
        spdx(version="SPDX-3.0"),
        cyclonedx(components={}),
        cyclonedx(components=[{"purl": 1}]),
        cyclonedx("pkg:npm/a@1").decode().encode("utf-16"),
        b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"purl": "\\ud800"}]}',
        nested(100_000),
    ],
)
def test_what_is_no_such_document_is_refused(body: bytes) -> None:
    with pytest.raises(InventoryMalformed):
        read(body)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InventoryTooLarge, match="32 deep"):
        read(nested(33))
    assert read(nested(32)).packages == ()
    with pytest.raises(InventoryTooLarge, match="objects"):
        read(cyclonedx(components=[{}] * 1_000_000))
    monkeypatch.setattr(reading, "MOST_PACKAGES", 3)
    with pytest.raises(InventoryTooLarge, match="3 packages"):
        read(cyclonedx(*["pkg:npm/a@1"] * 4))
    monkeypatch.setattr(reading, "LARGEST", 10)
    with pytest.raises(InventoryTooLarge, match="10 bytes"):
        read(cyclonedx())


def test_reasons_are_few() -> None:
    claim = read(cyclonedx(*(f"pkg:type{number}/a@1" for number in range(100))))
    assert len(claim.left_out) == 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["pkg:npm/a@1", "CycloneDX", "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["components", "purl", "version", "packages", "externalRefs"]), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["components", "packages", "metadata"]), VALUES), st.booleans())
def test_whatever_stands_in_a_document_is_read_or_refused(content: dict[str, Any], as_spdx: bool) -> None:
    head = {"spdxVersion": "SPDX-2.3"} if as_spdx else {"bomFormat": "CycloneDX", "specVersion": "1.5"}
    try:
        claim = read(json.dumps(content | head).encode(), DEBIAN)
    except (InventoryMalformed, InventoryTooLarge):
        return
    assert all(package.evidence is Evidence.CLAIM for package in claim.packages)


@given(st.binary(max_size=200))
def test_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(InventoryMalformed):
        read(body)


@given(st.text(max_size=60) | st.text(alphabet="pkg:/@?&=#%npmdebrpl1. \x00", max_size=60).map("pkg:{}".format))
def test_any_text_is_a_package_or_a_reason(purl: str) -> None:
    told = claimed(purl, "1.0", DOCUMENT, DEBIAN)
    if isinstance(told, Package):
        assert told.name.isprintable()
        assert told.version.isprintable()
        assert PackageURL.from_string(told.purl).type
    else:
        assert told.endswith(".")
