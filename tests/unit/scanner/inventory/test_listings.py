"""Packages of Ruby, PHP and .NET, which describe what is installed in files of their own."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.dotnet import read_dependencies
from scanner.inventory.listings import Listed, Read
from scanner.inventory.model import Evidence
from scanner.inventory.php import read_installed
from scanner.inventory.ruby import read_specification
from scanner.layers.wishes import NoEssence

from tests.factories.images import Member, digest_of, file, hard_link, layer, node_module, symlink
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.jars import jar

RAKE = """\
# -*- encoding: utf-8 -*-
# stub: rake 13.0.6 ruby lib

Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.0.6"

  s.required_rubygems_version = Gem::Requirement.new(">= 1.3.2".freeze) if s.respond_to? :required_rubygems_version=
  s.metadata = { "changelog_uri" => "https://example.org" } if s.respond_to? :metadata=
  s.rubygems_version = "3.3.5".freeze
  s.add_dependency("name".freeze, "= 1")
end
"""
NOKOGIRI = (
    'Gem::Specification.new do |s|\n  s.name = "nokogiri"\n  s.version = "1.15.4"\n  s.platform = "x86_64-linux"\nend\n'
)
GEMS = "usr/lib/ruby/gems/3.1.0/specifications"


@pytest.mark.parametrize("folder", [GEMS, f"{GEMS}/default", "app/vendor/bundle/ruby/3.1.0/specifications"])
def test_gems(folder: str) -> None:
    [package] = inventory_of(file(f"{folder}/rake-13.0.6.gemspec", RAKE)).packages
    assert (package.ecosystem, package.name, package.version) == ("RubyGems", "rake", "13.0.6")
    assert (package.purl, package.evidence) == ("pkg:gem/rake@13.0.6", Evidence.METADATA)
    assert package.path == f"{folder}/rake-13.0.6.gemspec"


def test_a_gem_for_a_platform() -> None:
    [package] = inventory_of(file(f"{GEMS}/nokogiri-1.15.4-x86_64-linux.gemspec", NOKOGIRI)).packages
    assert (package.version, package.arch) == ("1.15.4", "x86_64-linux")
    assert package.purl == "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gem::Specification.new do |s|\n  s.name = %q{a}\n  s.version = %q{1}\nend", Listed("a", "1")),
        ("s.name = 'a'\ns.version = Gem::Version.new('1')\n", Listed("a", "1")),
        ("# stub: a 1 java lib\n", Listed("a", "1", "java")),
        ('s.name = "#{`id`}"\ns.version = "1"\n', "An entry names no package."),
        ('s.name = "a"\n', "The entry of a gives no version."),
    ],
)
def test_specifications(text: str, expected: object) -> None:
    assert list(read_specification(text.encode())) == [expected]


@pytest.mark.parametrize("link", [symlink, hard_link])
@pytest.mark.parametrize("target", ["app/yarn.lock", "app/a.jar", "etc/os-release", "app/node_modules/a/package.json"])
def test_a_link_to_a_file_of_another_kind_is_named(link: Callable[[str, str], Member], target: str) -> None:
    found = inventory_of(
        file("etc/os-release", "ID=other\n"),
        file("app/yarn.lock", "a@1:\n  version 1\n"),
        file("app/a.jar", jar({})),
        node_module("a", "1"),
        link(f"{GEMS}/a.gemspec", f"/{target}"),
        link("app/other.jar", f"/{target}") if target != "app/a.jar" else file("x"),
    )
    assert {one.ecosystem for one in found.packages} == {"npm", "generic"}
    assert f"{GEMS}/a.gemspec" in {one.path for one in found.unreadable}


def test_a_source_of_a_gem_is_no_installed_one() -> None:
    assert inventory_of(file("app/rake.gemspec", RAKE), file(f"{GEMS}/a/rake.gemspec", RAKE)).packages == ()


def test_what_a_specification_hides_is_named() -> None:
    path = f"{GEMS}/a.gemspec"
    assert [one.path for one in inventory_of(file(path, "s.name = compute")).unreadable] == [path]
    assert [one.path for one in inventory_of(file(path, b"\xff\xfe")).unreadable] == [path]


SYMFONY = {"name": "symfony/http-kernel", "version": "v5.4.1", "type": "library"}
LOG = {"name": "psr/log", "version": "3.0.0"}


@pytest.mark.parametrize("document", [[SYMFONY, LOG], {"packages": [SYMFONY, LOG], "dev": True}])
def test_packages_of_composer(document: object) -> None:
    found = inventory_of(file("app/vendor/composer/installed.json", json.dumps(document, indent=4)))
    assert names(found) == [("Packagist", "psr/log", "3.0.0"), ("Packagist", "symfony/http-kernel", "v5.4.1")]
    assert "pkg:composer/symfony/http-kernel@v5.4.1" in {one.purl for one in found.packages}


DEPENDENCIES = {
    "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0", "signature": ""},
    "targets": {
        ".NETCoreApp,Version=v8.0": {
            "app/1.0.0": {"dependencies": {"Newtonsoft.Json": "13.0.1"}, "runtime": {"app.dll": {}}},
            "Newtonsoft.Json/13.0.1": {"runtime": {"lib/net6.0/Newtonsoft.Json.dll": {"fileVersion": "13.0.1.25517"}}},
            "Reference/1.0.0": {"compileOnly": True},
        }
    },
    "libraries": {
        "app/1.0.0": {"type": "project", "serviceable": False, "sha512": ""},
        "Newtonsoft.Json/13.0.1": {"type": "package", "serviceable": True, "sha512": "sha512-x"},
        "Reference/1.0.0": {"type": "package"},
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack", "sha512": ""},
        "System.Local/1.0.0": {"type": "reference"},
    },
}


def test_packages_of_nuget() -> None:
    package, runtime = inventory_of(file("app/app.deps.json", json.dumps(DEPENDENCIES))).packages
    assert (runtime.name, runtime.version) == ("Microsoft.NETCore.App.Runtime.linux-x64", "8.0.1")
    assert (package.ecosystem, package.name, package.version) == ("NuGet", "Newtonsoft.Json", "13.0.1")
    assert package.purl == "pkg:nuget/Newtonsoft.Json@13.0.1"


def test_a_package_belongs_to_the_layer_that_brought_its_version() -> None:
    path = "vendor/composer/installed.json"
    base = layer(file(path, json.dumps([SYMFONY, LOG])))
    upper = layer(file(path, json.dumps([SYMFONY, {"name": "psr/log", "version": "3.0.1"}])))
    layers = {one.name: one.layer for one in inventory(base, upper).packages}
    assert layers == {"symfony/http-kernel": digest_of(base.blob), "psr/log": digest_of(upper.blob)}


@pytest.mark.parametrize("path", ["vendor/composer/installed.json", "app/app.deps.json"])
@pytest.mark.parametrize("body", ["{", "?", "[" * 9999, '{"packages": 1, "libraries": []}', "{" * 600_000])
def test_what_can_not_be_read_is_named(path: str, body: str) -> None:
    found = inventory_of(file(path, body))
    assert [one.path for one in found.unreadable] == [path]


@pytest.mark.parametrize("path", ["vendor/composer/installed.json", "app/app.deps.json"])
def test_an_entry_that_can_not_be_read_hides_no_other(path: str) -> None:
    packages = [{"name": "a/b", "version": "1"}, {"name": "a b", "version": "1"}, {"name": "c/d"}]
    libraries = {name: {"type": "package"} for name in ("a/1", "c")}
    found = inventory_of(file(path, json.dumps({"packages": packages, "libraries": libraries})))
    assert len(found.packages) == 1
    assert {one.path for one in found.unreadable} == {path}


@pytest.mark.parametrize("read", [read_specification, read_installed, read_dependencies])
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reading(read: Read, body: bytes) -> None:
    try:
        for one in read(body):
            assert isinstance(one, Listed) or one.endswith(".")
    except NoEssence as problem:
        assert str(problem).endswith(".")  # noqa: PT017


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["packages", "libraries", "name", "version", "type", "a/1"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_breaks_the_reading(document: object) -> None:
    for read in (read_installed, read_dependencies):
        try:
            told = list(read(json.dumps(document).encode()))
        except NoEssence:
            continue
        assert all(isinstance(one, Listed | str) for one in told)
