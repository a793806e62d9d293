"""Packages of Python and npm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.npm import read_package_json
from scanner.inventory.python import read_metadata

from tests.factories.images import Member, file, layer, node_module, opaque, symlink, wheel, whiteout
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.jars import jar

METADATA = "Metadata-Version: 2.1\nName: Foo.Bar_baz\nVersion: 1.0rc1\nDescription: Name: wrong\n\nName: worse\n"


@pytest.mark.parametrize(
    "path",
    [
        "usr/lib/python3/dist-packages/foo-1.dist-info/METADATA",
        "app/venv/lib/python3.11/site-packages/pip/_vendor/foo.dist-info/METADATA",
        "opt/foo.egg-info/PKG-INFO",
        "opt/foo-1.egg-info",
        "opt/foo-1-py3.egg/EGG-INFO/PKG-INFO",
    ],
)
def test_where_python_packages_lie(path: str) -> None:
    image_layer = layer(file(path, METADATA))
    [package] = inventory(image_layer).packages
    assert (package.ecosystem, package.name, package.version) == ("PyPI", "Foo.Bar_baz", "1.0rc1")
    assert package.purl == "pkg:pypi/foo.bar-baz@1.0rc1"
    assert (package.layer, package.path) == (image_layer.digest, path)


def test_a_zipped_egg() -> None:
    body = jar({"EGG-INFO/PKG-INFO": METADATA, "foo/__init__.py": "", "EGG-INFO/zip-safe": ""})
    [package] = inventory_of(file("opt/foo-1-py3.egg", body)).packages
    assert (package.name, package.version, package.path) == ("Foo.Bar_baz", "1.0rc1", "opt/foo-1-py3.egg")


def test_what_is_called_an_egg() -> None:
    found = inventory_of(
        file("a.egg", b"PK\3\4?"), file("b.egg", "yolk"), file("c.egg", jar({"x": ""})), file("d.egg", jar({}))
    )
    assert found.packages == ()
    assert [one.path for one in found.unreadable] == ["a.egg"]


def test_what_packages_vendor() -> None:
    vendored = "requests==2.31.0\n    urllib3==1.26.18\n# no\nrich==13.4.2  # why\n"
    found = inventory_of(
        wheel("pip", "23.3"),
        file("usr/lib/python3/site-packages/pip/_vendor/vendor.txt", vendored),
        wheel("urllib3", "1.26.18"),
        wheel("wheel", "0.43.0", root="usr/lib/python3/site-packages/setuptools/_vendor"),
    )
    assert names(found) == [
        ("PyPI", "pip", "23.3"),
        ("PyPI", "requests", "2.31.0"),
        ("PyPI", "rich", "13.4.2"),
        ("PyPI", "urllib3", "1.26.18"),
        ("PyPI", "urllib3", "1.26.18"),
        ("PyPI", "wheel", "0.43.0"),
    ]


def test_one_package_under_two_spellings() -> None:
    found = inventory_of(wheel("Pillow", "9.0.0"), wheel("pillow", "10.1.0"))
    assert names(found) == [("PyPI", "Pillow", "9.0.0"), ("PyPI", "pillow", "10.1.0")]


def test_a_package_that_is_developed_in_place() -> None:
    found = inventory_of(
        file("usr/lib/python3/site-packages/foo.egg-link", "/src/foo\n."),
        file("src/foo/foo.egg-info/PKG-INFO", METADATA),
    )
    assert [one.path for one in found.packages] == ["src/foo/foo.egg-info/PKG-INFO"]


@pytest.mark.parametrize("path", ["a/METADATA", "x.dist-info/METADATA/y", "x.dist-info/RECORD", "a/PKG-INFO"])
def test_where_none_lie(path: str) -> None:
    assert inventory_of(file(path, METADATA)).packages == ()


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("", "no name"),
        ("Version: 1\n", "no name"),
        ("Name: ../x\nVersion: 1\n", "no name"),
        ("Name: x\n", "no version"),
        ("Name: x\nVersion: 1 2\n", "no version"),
    ],
)
def test_broken_metadata_is_named(metadata: str, says: str) -> None:
    found = inventory_of(wheel("good", "1"), file("bad.dist-info/METADATA", metadata))
    assert names(found) == [("PyPI", "good", "1")]
    assert [(one.path, says in one.problem) for one in found.unreadable] == [("bad.dist-info/METADATA", True)]


def test_a_long_description_is_not_needed() -> None:
    found = inventory_of(file("x.dist-info/METADATA", METADATA + "x" * 2_000_000))
    assert names(found) == [("PyPI", "Foo.Bar_baz", "1.0rc1")]


def test_copies_count_each() -> None:
    modules = [node_module("b", "1"), node_module("b", "1", root="c")]
    found = inventory_of(wheel("a", "1"), wheel("a", "1", root="app"), *modules)
    assert len(found.packages) == 4


def test_what_an_upper_layer_removes_is_gone() -> None:
    lower = layer(wheel("a", "1", root="x"), wheel("b", "1", root="x"), node_module("c", "1"))
    upper = layer(whiteout("x/a-1.dist-info"), whiteout("app/node_modules"), wheel("b", "1", root="x"))
    found = inventory(lower, upper)
    assert names(found) == [("PyPI", "b", "1")]
    assert [one.layer for one in found.packages] == [lower.digest]


@pytest.mark.parametrize("removal", [[whiteout("x/a-1.dist-info")], [whiteout("x")], [opaque("x")]])
def test_what_was_removed_and_added_again_belongs_to_the_later_layer(removal: list[Member]) -> None:
    lower, removing, upper = layer(wheel("a", "1", root="x")), layer(*removal), layer(wheel("a", "1", root="x"))
    assert [one.layer for one in inventory(lower, removing, upper).packages] == [upper.digest]
    at_once = layer(*removal, wheel("a", "1", root="x"), file("x/other", "text"))
    assert [one.layer for one in inventory(lower, at_once).packages] == [at_once.digest]


@pytest.mark.parametrize(
    ("name", "purl"), [("minimist", "pkg:npm/minimist@0.0.8"), ("@babel/core", "pkg:npm/%40babel/core@0.0.8")]
)
def test_npm_packages(name: str, purl: str) -> None:
    [package] = inventory_of(node_module(name, "0.0.8")).packages
    assert (package.ecosystem, package.name, package.version, package.purl) == ("npm", name, "0.0.8", purl)


def test_nested_npm_packages() -> None:
    nested = node_module("b", "2", root="app/node_modules/a")
    assert names(inventory_of(node_module("a", "1"), nested)) == [("npm", "a", "1"), ("npm", "b", "2")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("app/package.json", {"name": "a", "version": "1"}),
        ("app/node_modules/a/dist/package.json", {"name": "a", "version": "1"}),
        ("app/node_modules/@scope/package.json", {"name": "a", "version": "1"}),
        ("app/node_modules/.cache/package.json", {"name": "a", "version": "1"}),
        ("usr/share/nodejs/acorn/dist/package.json", {"name": "dist", "version": "1.0.0"}),
        ("app/node_modules/acorn/bin/package.json", {"name": "bin", "version": "1.0.0"}),
        ("app/node_modules/@scope/a/esm/package.json", {"name": "a", "version": "1"}),
        ("app/node_modules/a/package.json", {"type": "module"}),
        ("app/node_modules/a/package.json", {"name": "a"}),
        ("app/node_modules/a/package.json", {"name": "a", "version": ""}),
    ],
)
def test_what_is_no_npm_package(path: str, body: object) -> None:
    found = inventory_of(wheel("x", "1"), file(path, json.dumps(body)))
    assert names(found) == [("PyPI", "x", "1")]
    assert found.unreadable == ()


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"name": 1, "version": "1"}', '{"name": "a b", "version": "1"}', "[" * 9999]
)
def test_broken_package_json_is_named(body: str) -> None:
    found = inventory_of(file("node_modules/a/package.json", body))
    assert [one.path for one in found.unreadable] == ["node_modules/a/package.json"]


def test_a_byte_order_mark() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"name": "a", "version": "1"}).encode()
    assert names(inventory_of(file("node_modules/a/package.json", body))) == [("npm", "a", "1")]


def test_node_modules_behind_a_link() -> None:
    found = inventory_of(
        symlink("app/node_modules", "../deps"), file("deps/a/package.json", '{"name": "a", "version": "1"}')
    )
    assert names(found) == [("npm", "a", "1")]


def test_node_modules_behind_links_into_one_another() -> None:
    found = inventory_of(
        symlink("app/node_modules", "../deps"),
        symlink("tool/node_modules", "../deps/vendored"),
        file("deps/a/package.json", '{"name": "a", "version": "1"}'),
        file("deps/@scope/b/package.json", '{"name": "@scope/b", "version": "1"}'),
        file("deps/vendored/c/package.json", '{"name": "c", "version": "1"}'),
        file("deps/a/test/package.json", '{"name": "d", "version": "1"}'),
        file("deps/@scope/package.json", '{"name": "e", "version": "1"}'),
    )
    assert names(found) == [("npm", "@scope/b", "1"), ("npm", "a", "1"), ("npm", "c", "1")]


def test_a_description_behind_a_link_that_leads_nowhere_known_is_named() -> None:
    found = inventory_of(symlink("a.dist-info/METADATA", "/store/1234"), file("store/1234", METADATA))
    assert [(one.path, "link to /store/1234" in one.problem) for one in found.unreadable] == [
        ("a.dist-info/METADATA", True)
    ]


def test_paths_that_are_no_utf_8_are_shown() -> None:
    found = inventory_of(wheel("a", "1", root="caf\udce9"))
    assert [one.path for one in found.packages] == ["caf\\xe9/a-1.dist-info/METADATA"]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    assert isinstance(read_metadata(body), tuple | str)
    assert isinstance(read_package_json(body), tuple | str | None)
