"""Strict YAML: what is refused, where, and that nothing from outside ends in anything but Malformed."""

import pytest
from hallmark_cli import yamltree
from hallmark_cli.yamltree import Malformed
from hypothesis import given
from hypothesis import strategies as st


def complaint(source: str | bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        yamltree.parse(source if isinstance(source, bytes) else source.encode())
    return caught.value


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("a: &x 1\nb: *x\n", 1, 4, "Anchors are not taken: leave &x away"),
        ("a: 1\nb: *x\n", 2, 4, "Aliases are not taken: write what *x stands for"),
        ("a: 1 # \u202e\n", 1, 8, "turns the direction of text"),
        ("a: 1\nb: 'x\u2066y'\n", 2, 6, "turns the direction of text"),
        ('a: "\\U00110000"\n', 1, 1, "an escape in it names no character"),
        ("a: !!str 1\n", 1, 4, "Tags are not taken"),
        ("a: ! 1\n", 1, 4, "Tags are not taken"),
        ("a: !!python/object/apply:os.system [id]\n", 1, 4, "Tags are not taken"),
        ("a: 1\n---\nb: 2\n", 2, 1, "A second document begins here"),
        ("a: [1, 2\nb: 3\n", 2, 2, "This is no YAML"),
        ("a: 1\n\tb: 2\n", 2, 1, "This is no YAML"),
        ("a: " + "[" * 30, 1, 23, "Nested deeper than 20 levels"),
        ("", 1, 1, "The file is empty"),
        ("# only a comment\n", 1, 1, "The file is empty"),
    ],
)
def test_what_is_refused_is_refused_where_it_stands(source: str, line: int, column: int, words: str) -> None:
    found = complaint(source)
    assert words in found.problem
    assert (found.line, found.column) == (line, column)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    assert "larger than 256 KiB" in complaint(b"#" * (yamltree.MOST_BYTES + 1)).problem


def test_too_many_values_are_refused() -> None:
    assert "More than 20000 values" in complaint("[" + "a," * 20_001 + "]").problem


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "not UTF-8" in complaint(b"a: \xff").problem


def test_characters_that_yaml_forbids_are_refused() -> None:
    assert complaint("a: \x00").problem


def test_fields_are_those_that_are_known_each_once() -> None:
    node = yamltree.parse(b"name: a\nname: b\n")
    with pytest.raises(Malformed, match="twice") as caught:
        yamltree.mapping(node, ("name",))
    assert (caught.value.line, caught.value.column) == (2, 1)
    with pytest.raises(Malformed, match="no field `name` here; there is: other"):
        yamltree.mapping(node, ("other",))
    with pytest.raises(Malformed, match="`size` is absent"):
        yamltree.mapping(yamltree.parse(b"name: a"), ("name", "size"))


@pytest.mark.parametrize("source", ["<<: {name: a}\n", "1: a\n", "[a]: b\n", "{a: b}: c\n"])
def test_a_field_is_named_by_text(source: str) -> None:
    with pytest.raises(Malformed):
        yamltree.mapping(yamltree.parse(source.encode()), (), ("name", "1"))


@pytest.mark.parametrize("source", ["no", "1", "1.5", "null", "~", "2030-01-01", "true", "=", "[a]", "{a: b}"])
def test_text_is_what_yaml_takes_for_text(source: str) -> None:
    with pytest.raises(Malformed):
        yamltree.text(yamltree.parse(source.encode()))


def test_an_escape_that_names_half_a_character_is_no_text() -> None:
    with pytest.raises(Malformed, match="names no character"):
        yamltree.text(yamltree.parse(b'"\\ud800"'))


@pytest.mark.parametrize("source", ["yes", "on", "True", "1", "'true'"])
def test_only_true_and_false_are_booleans(source: str) -> None:
    with pytest.raises(Malformed):
        yamltree.boolean(yamltree.parse(source.encode()))
    assert yamltree.boolean(yamltree.parse(b"true")) is True
    assert yamltree.boolean(yamltree.parse(b"false")) is False


@pytest.mark.parametrize("source", ["010", "0x10", "1_000", "-1", "1.0", "'1'", "1:30", "9999999999"])
def test_numbers_are_decimal(source: str) -> None:
    with pytest.raises(Malformed):
        yamltree.number(yamltree.parse(source.encode()))
    assert yamltree.number(yamltree.parse(b"10")) == 10


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`, \n\t?", max_size=60).map(str.encode))
def test_whatever_comes_is_read_or_malformed(source: bytes) -> None:
    try:
        again = yamltree.parse(source)
    except Malformed as malformed:
        place = (malformed.line, malformed.column)
    else:
        assert again.start_mark.index <= again.end_mark.index <= len(source.decode())
        return
    assert min(place) >= 1
