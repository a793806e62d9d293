"""Lock files: what is listed of them, which of them count, and what is superfluous in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.listings import Listed
from scanner.inventory.lock_files import LOCK_FILES
from scanner.inventory.model import Evidence
from scanner.layers.wishes import NoEssence

from tests.factories.images import file, node_module
from tests.factories.inventories import inventory_of, names

GEMFILE = """\
GIT
  remote: https://example.org/forked.git
  revision: 1234
  specs:
    forked (0.1)

PATH
  remote: .
  specs:
    own (9.9)
      rails (>= 7)

GEM
  remote: https://rubygems.org/
  specs:
    actionpack (7.0.4)
      rack (~> 2.0, >= 2.2.0)
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    rails (7.0.4.rc1)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  rails (~> 7)

BUNDLED WITH
   2.4.1
"""
COMPOSER = json.dumps(
    {
        "packages": [{"name": "monolog/monolog", "version": "2.9.1"}],
        "packages-dev": [{"name": "phpunit/phpunit", "version": "9"}],
    }
)
NUGET = json.dumps(
    {
        "version": 1,
        "dependencies": {
            "net6.0": {
                "Serilog": {"type": "Direct", "requested": "[2.12.0, )", "resolved": "2.12.0", "contentHash": "x"},
                "System.Memory": {"type": "Transitive", "resolved": "4.5.5"},
                "own": {"type": "Project"},
            },
            "net6.0/linux-x64": {"System.Memory": {"type": "Transitive", "resolved": "4.5.5"}},
        },
    }
)
NUGET_CONFIG = """\
<?xml version="1.0" encoding="utf-8"?>
<packages>
  <package id="jQuery" version="3.1.1" targetFramework="net46" />
  <package id="StyleCop" version="1.0" developmentDependency="true" />
</packages>
"""
Rows = list[tuple[str, str, str]]
CASES: dict[str, tuple[str, Rows]] = {
    "Gemfile.lock": (
        GEMFILE,
        [
            ("RubyGems", "actionpack", "7.0.4"),
            ("RubyGems", "forked", "0.1"),
            ("RubyGems", "nokogiri", "1.15.4"),
            ("RubyGems", "rails", "7.0.4.rc1"),
        ],
    ),
    "composer.lock": (COMPOSER, [("Packagist", "monolog/monolog", "2.9.1")]),
    "packages.lock.json": (NUGET, [("NuGet", "Serilog", "2.12.0"), ("NuGet", "System.Memory", "4.5.5")]),
    "packages.config": (NUGET_CONFIG, [("NuGet", "jQuery", "3.1.1")]),
}


@pytest.mark.parametrize("name", CASES)
def test_lock_files(name: str) -> None:
    text, expected = CASES[name]
    found = inventory_of(file(f"srv/app/{name}", text))
    assert names(found) == expected
    assert {one.path for one in found.packages} == {f"srv/app/{name}"}
    assert {one.evidence for one in found.packages} == {Evidence.LOCK_FILE}
    assert found.unreadable == ()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "folder",
    [
        "app/node_modules/a",
        "usr/lib/python3/site-packages/a",
        "usr/lib/python3/dist-packages/a",
        "var/lib/gems/3.1.0/gems/a-1",
        "app/vendor/a/b",
        "root/.cargo/registry/src/index/a-1",
        "root/go/pkg/mod/a@v1",
    ],
)
def test_those_of_installed_packages_are_passed_over(name: str, folder: str) -> None:
    text, _ = CASES[name]
    found = inventory_of(node_module("x", "1"), file(f"{folder}/{name}", text), file(f"{folder}/b/{name}", b"\xff"))
    assert names(found) == [("npm", "x", "1")]
    assert found.unreadable == ()


def test_what_is_installed_is_not_listed_twice() -> None:
    installed = json.dumps([{"name": "Monolog/monolog", "version": "2.9.1"}])
    found = inventory_of(file("app/composer.lock", COMPOSER), file("app/vendor/composer/installed.json", installed))
    assert [(one.name, one.evidence) for one in found.packages] == [("Monolog/monolog", Evidence.METADATA)]


def test_another_version_than_the_installed_one_is_listed() -> None:
    installed = json.dumps([{"name": "monolog/monolog", "version": "2.9.2"}])
    found = inventory_of(file("app/composer.lock", COMPOSER), file("app/vendor/composer/installed.json", installed))
    assert {(one.version, one.evidence.value) for one in found.packages} == {
        ("2.9.1", "LOCK_FILE"),
        ("2.9.2", "METADATA"),
    }


@pytest.mark.parametrize("name", CASES)
def test_what_can_not_be_read_is_named(name: str) -> None:
    found = inventory_of(file(f"app/{name}", b"\xff\xfe\0garbage"))
    assert [one.path for one in found.unreadable] == [f"app/{name}"]


@pytest.mark.parametrize("kind", LOCK_FILES)
@given(body=st.binary(max_size=200) | st.text(max_size=300).map(str.encode), data=st.data())
def test_no_bytes_break_the_reading(kind: str, body: bytes, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([text for text, _ in CASES.values()])).encode()
    at = data.draw(st.integers(0, len(whole)))
    for hostile in (body, whole[:at] + body + whole[at:], whole[at:]):
        try:
            for one in LOCK_FILES[kind].read(hostile):
                assert isinstance(one, Listed) or one.endswith(".")
        except NoEssence as problem:
            assert str(problem).endswith(".")  # noqa: PT017
