"""Names that stand twice are found, however the text is spelled."""

import json
from typing import Any

import pytest
from admission.errors import NoReview
from admission.uniqueness import demand_unique
from hypothesis import given
from hypothesis import strategies as st

texts = st.text('a":\\ ', max_size=3)
spelled = st.sampled_from([json.dumps, lambda text: '"' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"'])
space = st.sampled_from(["", "", "", " ", "\n"])
plain = st.builds(lambda write, text: write(text), spelled, texts)
values: st.SearchStrategy[str] = st.deferred(lambda: plain | objects | arrays)
members = st.builds(lambda write, name, gap, value: f"{write(name)}{gap}:{value}", spelled, texts, space, values)
objects: st.SearchStrategy[str] = st.lists(members, max_size=3).map(lambda inner: "{" + ",".join(inner) + "}")
arrays: st.SearchStrategy[str] = st.lists(values, max_size=2).map(lambda inner: "[" + ",".join(inner) + "]")


def is_unique(text: str) -> bool:
    found = [True]

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({name for name, _ in pairs}) == len(pairs))

    json.loads(text, object_pairs_hook=look)
    return all(found)


@given(objects)
def test_a_name_that_stands_twice_is_found(text: str) -> None:
    try:
        demand_unique(text.encode())
    except NoReview:
        assert not is_unique(text)
    else:
        assert is_unique(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '[{"b":{"a":{},"a":{}}}]',
        '{"a" :1,"a":"\\":"}',
        r'{"\u003a":{},"\u003a":{}}',
        r'{"\u003A":1,":":1}',
    ],
)
def test_names_that_stand_twice(text: str) -> None:
    with pytest.raises(NoReview):
        demand_unique(text.encode())
