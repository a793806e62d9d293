"""What is written as TOML is read back the same."""

import tomllib

from hallmark_cli import toml
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
SCALARS = TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1)
LISTS = st.lists(TEXTS, max_size=3)
TABLES = st.recursive(
    st.dictionaries(TEXTS, SCALARS | LISTS, max_size=3),
    lambda inner: st.dictionaries(TEXTS, SCALARS | LISTS | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)


@given(TABLES)
def test_reading_gives_what_was_written(table: dict[str, toml.Value]) -> None:
    assert tomllib.loads(toml.dumps(table)) == table


def test_a_document_reads_as_a_person_would_write_it() -> None:
    table: toml.Table = {"b": {"c": {"x": ["a"]}, "list": [{"host": "h"}]}, "a": 1, "plain-key_1": True}
    assert toml.dumps(table) == ('a = 1\nplain-key_1 = true\n\n[b.c]\nx = ["a"]\n\n[[b.list]]\nhost = "h"\n')
