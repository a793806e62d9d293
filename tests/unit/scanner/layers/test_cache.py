"""Layers kept in a folder."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.layers.cache import LayerCache
from scanner.layers.layer import Layer
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer

from tests.factories.images import Member, directory, file, hard_link, opaque, symlink, tar, whiteout

ANALYZERS = {"dpkg": 1, "npm": 2}
PLENTY = 10**9


def read(*members: Member) -> Layer:
    return read_layer([tar(members)], lambda path: 1000 if path.startswith("keep") else None, Limits())


RICH = read(
    file("keep/file", b"\xff\0body"),
    symlink("link", "keep/file"),
    hard_link("keep/hard", "keep/file"),
    whiteout("gone"),
    opaque("empty"),
    directory("folder"),
    file("other"),
    directory("keep"),
)


def large(number: int) -> Layer:
    return read(file(f"keep/{number}", os.urandom(1000)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "layers"


def test_a_layer_comes_back_as_it_was(folder: Path) -> None:
    LayerCache(folder, PLENTY, ANALYZERS).put(RICH)
    assert LayerCache(folder, PLENTY, dict(reversed(ANALYZERS.items()))).get(RICH.digest) == RICH


@given(st.lists(st.builds(file, st.text(max_size=20), st.binary(max_size=50)), max_size=5))
def test_any_layer_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, members: list[Member]) -> None:
    layer = read_layer([tar([one for one in members if "\0" not in one.path])], lambda _: 100, Limits())
    cache = LayerCache(tmp_path_factory.mktemp("layers"), PLENTY, ANALYZERS)
    cache.put(layer)
    assert cache.get(layer.digest) == layer


@pytest.mark.parametrize("others", [{}, {"dpkg": 2, "npm": 2}, {"dpkg": 1}, {"dpkg": 1, "npm": 2, "java": 1}])
def test_what_other_analyzers_read_is_not_found(folder: Path, others: dict[str, int]) -> None:
    LayerCache(folder, PLENTY, ANALYZERS).put(RICH)
    assert LayerCache(folder, PLENTY, others).get(RICH.digest) is None


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_no_layer_and_goes(folder: Path, damage: bytes | None) -> None:
    cache = LayerCache(folder, PLENTY, ANALYZERS)
    cache.put(RICH)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"abc" if damage is None else damage)
    assert cache.get(RICH.digest) is None
    assert list(folder.iterdir()) == []


def test_another_layer_under_the_name_is_none(folder: Path) -> None:
    cache = LayerCache(folder, PLENTY, ANALYZERS)
    cache.put(RICH)
    (path,) = folder.iterdir()
    cache.put(large(1))
    (other,) = set(folder.iterdir()) - {path}
    path.write_bytes(other.read_bytes())
    assert cache.get(RICH.digest) is None


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    layers = [large(number) for number in range(4)]
    cache = LayerCache(folder, 4200, ANALYZERS)
    for age, layer in enumerate(layers[:3]):
        before = set(folder.iterdir())
        cache.put(layer)
        (path,) = set(folder.iterdir()) - before
        os.utime(path, (age, age))
    assert cache.get(layers[0].digest) is not None
    cache.put(layers[3])
    assert [cache.get(layer.digest) is not None for layer in layers] == [True, False, True, True]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4200


def test_a_layer_larger_than_the_cache_is_not_kept(folder: Path) -> None:
    cache = LayerCache(folder, 500, ANALYZERS)
    cache.put(large(1))
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_gone_costs_nothing_but_time(folder: Path) -> None:
    cache = LayerCache(folder, PLENTY, ANALYZERS)
    folder.rmdir()
    cache.put(RICH)
    assert cache.get(RICH.digest) is None


def test_a_path_that_is_no_text_is_not_kept(folder: Path) -> None:
    cache = LayerCache(folder, PLENTY, ANALYZERS)
    strange = read(symlink("a", "keep\udcff"))
    cache.put(strange)
    assert cache.get(strange.digest) is None
    assert list(folder.iterdir()) == []
