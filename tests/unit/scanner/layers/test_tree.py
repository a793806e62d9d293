"""Layers upon each other."""

import tarfile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scanner.failures import LayerMalformed, LimitExceeded
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree

from tests.factories.images import Member, directory, file, hard_link, opaque, symlink, tar, whiteout


def keep(path: str) -> int | None:
    return 100 if path.rpartition("/")[2].startswith("k") else None


def tree(*layers: list[Member]) -> Tree:
    made = Tree()
    for members in layers:
        made.apply(read_layer([tar(members)], keep, Limits()))
    return made


def files(*layers: list[Member]) -> dict[str, bytes | None]:
    return {path: kept.file.body for path, kept in tree(*layers).files()}


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([[file("k", "1")], [file("k", "2")]], {"k": b"2"}),
        ([[file("k", "1"), file("k", "2")]], {"k": b"2"}),
        ([[file("a/k", "1")], [whiteout("a/k")]], {}),
        ([[file("a/k", "1")], [whiteout("a")]], {}),
        ([[file("a/b/k", "1"), file("a/k", "2")], [opaque("a")]], {}),
        ([[file("a/k", "1")], [opaque("a"), file("a/kk", "2")]], {"a/kk": b"2"}),
        ([[file("a/k", "1")], [file("a/kk", "2"), opaque("a")]], {"a/kk": b"2"}),
        ([[file("k", "1")], [file("k", "2"), whiteout("k")]], {"k": b"2"}),
        ([[file("k", "1")], [whiteout("k")], [file("k", "3")]], {"k": b"3"}),
        ([[file("a/k", "1")], [opaque("")]], {}),
    ],
    ids=lambda value: None,
)
def test_whiteouts(layers: list[list[Member]], left: dict[str, bytes]) -> None:
    assert files(*layers) == left


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([[file("a/k", "1")], [file("a")]], {}),
        ([[file("a/k", "1"), file("a")]], {}),
        ([[file("k", "1")], [directory("k")]], {}),
        ([[file("k", "1"), directory("k")]], {}),
        ([[file("a/k", "1")], [symlink("a", "b")]], {}),
        ([[file("a/k", "1"), file("a"), directory("a"), file("a/kk", "2")]], {"a/kk": b"2"}),
        ([[file("a/k", "1")], [directory("a")]], {"a/k": b"1"}),
        ([[file("a/k", "1"), directory("a")]], {"a/k": b"1"}),
        ([[file("k", "1")], [Member("k", b"", b"3")]], {}),
    ],
    ids=lambda value: None,
)
def test_what_takes_the_place_of_something_else(layers: list[list[Member]], left: dict[str, bytes]) -> None:
    assert files(*layers) == left


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([[symlink("lib", "usr/lib")], [file("lib/k", "1")]], {"usr/lib/k": b"1"}),
        ([[symlink("lib", "/usr/lib"), file("lib/k", "1")]], {"usr/lib/k": b"1"}),
        ([[symlink("a/lib", "../../../x"), file("a/lib/k", "1")]], {"x/k": b"1"}),
        ([[symlink("lib", "usr/lib"), file("usr/lib/k", "1")], [whiteout("lib/k")]], {}),
        ([[symlink("lib", "usr/lib"), file("usr/lib/k", "1")], [opaque("lib")]], {}),
        ([[symlink("lib", "usr/lib"), file("usr/lib/k", "1")], [whiteout("lib")]], {"usr/lib/k": b"1"}),
        ([[symlink("lib", "usr/lib")], [directory("lib"), file("lib/k", "1")]], {"lib/k": b"1"}),
    ],
    ids=lambda value: None,
)
def test_parents_that_are_links_are_followed(layers: list[list[Member]], left: dict[str, bytes]) -> None:
    assert files(*layers) == left


def test_finding_follows_links() -> None:
    made = tree([symlink("etc/k", "../usr/lib/k"), symlink("usr", "/opt")], [file("opt/lib/k", "1")])
    found = made.find("etc/k")
    assert found is not None
    assert found.file.body == b"1"
    assert {link.path: link.leads_to for link in made.links()} == {"etc/k": "opt/lib/k", "usr": "opt"}


def test_links_in_a_circle_lead_nowhere() -> None:
    made = tree([symlink("a", "b"), symlink("b", "a")])
    assert made.find("a") is None
    assert made.find("a/k") is None
    assert list(made.links()) == []
    with pytest.raises(LayerMalformed, match="circle"):
        made.apply(read_layer([tar([file("a/k")])], keep, Limits()))


def test_putting_layers_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.layers.tree.MOST_STEPS", 100)
    deep = "d/" * 40
    tree([file(f"{deep}k")])
    with pytest.raises(LimitExceeded, match="the bound `steps`"):
        tree([file(f"{deep}k{number}") for number in range(5)])


@pytest.mark.parametrize("target", ["k", "./k", "/k", "../k"])
def test_hard_links_to_lower_layers(target: str) -> None:
    made = tree([file("k", "1")], [hard_link("kk", target)], [whiteout("k")])
    found = made.find("kk")
    assert found is not None
    assert found.file.body == b"1"


def test_a_hard_link_to_something_that_was_not_kept_says_so() -> None:
    made = tree([file("other", "1")], [hard_link("k", "other")])
    found = made.find("k")
    assert found is not None
    assert found.file.body is None
    assert "hard link to /other" in found.file.problem


def test_paths_that_are_no_utf_8_are_told_in_text_that_is() -> None:
    found = tree([hard_link("k", "caf\udce9")]).find("k")
    assert found is not None
    assert "hard link to /caf\\xe9," in found.file.problem
    with pytest.raises(LayerMalformed, match=r"/caf\\xe9/k goes round") as failure:
        tree([symlink("caf\udce9", "caf\udce9"), file("caf\udce9/k")])
    assert failure.value.message.isprintable()


def test_a_hard_link_to_a_link_is_that_link() -> None:
    assert files([file("k", "1"), symlink("s", "k"), hard_link("k2", "s")]) == {"k": b"1"}
    assert tree([file("k", "1"), symlink("s", "k"), hard_link("k2", "s")]).find("k2") is not None


def test_what_stood_there_before_is_remembered_once_for_each_layer() -> None:
    made = tree([file("k", "1")], [file("k", "2"), file("k", "3")], [hard_link("k", "k")])
    bodies = []
    kept = made.find("k")
    while kept:
        bodies.append(kept.file.body)
        kept = kept.beneath
    assert bodies == [b"3", b"3", b"1"]


class Model:
    """What a file system without links would hold: path -> body, None for a directory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes | None] = {}

    def apply(self, members: list[Member]) -> None:
        for member in members:
            parent, _, name = member.path.rpartition("/")
            if name == ".wh..wh..opq":
                self._remove(parent, itself=False)
            elif name.startswith(".wh."):
                self._remove(f"{parent}/{name[4:]}".lstrip("/"), itself=True)
        for member in members:
            if not member.path.rpartition("/")[2].startswith(".wh."):
                self._add(member)

    def _add(self, member: Member) -> None:
        parts = member.path.split("/")
        for end in range(1, len(parts)):
            parent = "/".join(parts[:end])
            assume(self.held.get(parent) is None)  # in a file nothing can lie: no runtime unpacks that
            self.held.setdefault(parent, None)
        if member.kind == tarfile.DIRTYPE:
            self._make_directory(member.path)
        else:
            self._remove(member.path, itself=True)
            self.held[member.path] = member.body

    def _make_directory(self, path: str) -> None:
        if self.held.get(path) is not None:
            del self.held[path]
        self.held.setdefault(path, None)

    def _remove(self, path: str, *, itself: bool) -> None:
        for other in list(self.held):
            if other.startswith(f"{path}/") or (itself and other == path) or not path:
                del self.held[other]


parts = st.sampled_from(["k", "a", "kb"])
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
members = st.one_of(
    st.builds(file, paths, st.binary(max_size=3)),
    st.builds(directory, paths),
    st.builds(whiteout, paths),
    st.builds(opaque, paths),
)


@given(st.lists(st.lists(members, max_size=6), max_size=4))
def test_layers_give_what_a_plain_model_gives(layers: list[list[Member]]) -> None:
    model = Model()
    for layer in layers:
        model.apply(layer)
    expected = {path: body for path, body in model.held.items() if body is not None and keep(path) is not None}
    assert files(*layers) == expected
