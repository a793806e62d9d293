"""Paths of an image's files, however archives spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.layers.paths import normalise


@given(st.text(alphabet="./ab", max_size=12))
def test_a_path_is_what_its_parts_lead_to(name: str) -> None:
    parts: list[str] = []
    for part in name.split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part] if part not in {"", "."} else parts
    assert normalise(name) == normalise(name.encode()) == "/".join(parts)


@pytest.mark.parametrize("name", ["..", "../..", "/../x/..", "./", ""])
def test_nothing_leads_out_of_the_root(name: str) -> None:
    assert normalise(name) == ""
