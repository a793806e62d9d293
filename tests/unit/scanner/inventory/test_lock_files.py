"""Lock files: what is listed of them, which of them count, and what is superfluous in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.listings import Listed, listed
from scanner.inventory.lock_files import LOCK_FILES
from scanner.inventory.model import Evidence
from scanner.inventory.purls import purl_of
from scanner.layers.wishes import NoEssence

from tests.factories.images import file, node_module, wheel
from tests.factories.inventories import inventory_of, names
from tests.factories.locks import (
    COMPOSER,
    LOCKS,
    NPM_1,
    NPM_3,
    NPM_ROWS,
    PNPM_5,
    PNPM_6,
    PNPM_ROWS,
    POETRY,
    YARN_BERRY,
    YARN_ROWS,
    Rows,
)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files(name: str) -> None:
    text, expected = LOCKS[name]
    found = inventory_of(file(f"srv/app/{name}", text))
    assert names(found) == expected
    assert {one.path for one in found.packages} == {f"srv/app/{name}"}
    assert {one.evidence for one in found.packages} == {Evidence.LOCK_FILE}
    assert found.unreadable == ()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("package-lock.json", NPM_1, NPM_ROWS),
        ("yarn.lock", YARN_BERRY, YARN_ROWS),
        ("pnpm-lock.yaml", PNPM_5, PNPM_ROWS),
        ("pnpm-lock.yaml", PNPM_6, PNPM_ROWS),
        ("pdm.lock", POETRY.replace('"main"', '"default"'), LOCKS["poetry.lock"][1]),
    ],
)
def test_other_forms(name: str, text: str, expected: Rows) -> None:
    assert names(inventory_of(file(f"srv/app/{name}", text))) == expected


def test_the_lock_file_that_npm_leaves_with_what_it_installed_is_not_looked_at() -> None:
    found = inventory_of(node_module("x", "1"), file("app/node_modules/.package-lock.json", NPM_3))
    assert names(found) == [("npm", "x", "1")]


def test_names_are_compared_as_their_ecosystem_does() -> None:
    found = inventory_of(
        file("app/requirements.txt", "Foo_Bar==1\n"), wheel("foo.bar", "1"), file("go.mod", "module a\n")
    )
    assert [(one.name, one.evidence) for one in found.packages] == [("foo.bar", Evidence.METADATA)]


@pytest.mark.parametrize("name", LOCKS)
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
        "usr/share/doc/a/examples",
    ],
)
def test_those_of_installed_packages_are_passed_over(name: str, folder: str) -> None:
    text, _ = LOCKS[name]
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


@pytest.mark.parametrize("name", LOCKS)
def test_what_can_not_be_read_is_named(name: str) -> None:
    found = inventory_of(file(f"app/{name}", b"\xff\xfe\0garbage"))
    assert [one.path for one in found.unreadable] == [f"app/{name}"]


@pytest.mark.parametrize("name", ["/", "@s/", ":", "%20", "a//b", "@", "...", "\u200b"])
@pytest.mark.parametrize("kind", ["package_lock", "composer_lock", "packages_lock", "gradle_lockfile"])
def test_names_that_are_none(kind: str, name: str) -> None:
    told = listed(name, "1")
    assert isinstance(told, str) or purl_of(LOCK_FILES[kind].ecosystem, told.name, told.version)


@pytest.mark.parametrize("kind", LOCK_FILES)
@given(body=st.binary(max_size=200) | st.text(max_size=300).map(str.encode), data=st.data())
def test_no_bytes_break_the_reading(kind: str, body: bytes, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([text for text, _ in LOCKS.values()])).encode()
    at = data.draw(st.integers(0, len(whole)))
    for hostile in (body, whole[:at] + body + whole[at:], whole[at:]):
        try:
            for one in LOCK_FILES[kind].read(hostile):
                if isinstance(one, Listed):
                    assert purl_of(LOCK_FILES[kind].ecosystem, one.name, one.version, one.arch)
                else:
                    assert one.endswith(".")
        except NoEssence as problem:
            assert str(problem).endswith(".")  # noqa: PT017
