"""Of which kind a file is by its path."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.analyzer import Wanted
from scanner.inventory.analyzers import ALL
from scanner.inventory.kinds import Kinds

WANTED = {kind: wanted for analyzer in ALL for kind, wanted in analyzer.wanted.items()}
PREFIXES = st.sampled_from(["", "/", "a/", "a/b\n/", "package.json/", "a.jar/", "x"])


@pytest.mark.parametrize("mostly_none", [True, False])
@pytest.mark.parametrize("path", ["a.x", "d/a.x", "d/e/a.x", "root", "d/k/1", "k/1"])
def test_a_path_is_of_the_first_kind_that_it_fits(path: str, mostly_none: bool) -> None:
    kinds = Kinds(
        {
            "root": Wanted("root|a/b", 0, at_root=True),
            "nested": Wanted(r"k/[0-9]", 0),
            "first": Wanted(r"[^/]+\.x", 0),
            "second": Wanted(r"a\.x", 0),
        },
        mostly_none=mostly_none,
    )
    expected = {"root": "root", "d/k/1": "nested", "k/1": "nested"}.get(path, "first")
    assert kinds.of(path) == expected
    assert kinds.of(f"{path}/more") is None
    assert kinds.of("d/root") is None


@pytest.mark.parametrize("kind", WANTED)
@given(data=st.data())
def test_every_path_of_a_kind_is_known_and_no_other(kind: str, data: st.DataObject) -> None:
    wanted = WANTED[kind]
    end = data.draw(st.from_regex(re.compile(wanted.pattern), fullmatch=True))
    kinds = Kinds({kind: wanted}, mostly_none=data.draw(st.booleans()))
    assert kinds.of(end) == kind
    path = data.draw(PREFIXES) + end
    fits = any(re.fullmatch(wanted.pattern, path[at:]) for at in range(len(path)) if at == 0 or path[at - 1] == "/")
    assert (kinds.of(path) == kind) is (fits if not wanted.at_root else path == end)
