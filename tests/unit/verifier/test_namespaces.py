"""Patterns of namespaces: what is meant, and no pattern that takes for ever."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verifier.rules.namespaces import NamespacePattern


@pytest.mark.parametrize(
    ("pattern", "namespace", "matches"),
    [
        ("pay", "pay", True),
        ("pay", "payments", False),
        ("pay", "x-pay", False),
        ("pay-*", "pay-eu", True),
        ("pay-*", "pay-", True),
        ("pay-*", "pay", False),
        ("*", "anything", True),
        ("*", "", False),
        ("**", "anything", True),
        ("pay.eu", "pay-eu", False),
        ("pay-[a-z]", "pay-x", False),
        ("pay-*", "PAY-eu", False),
        ("pay-*", "pay-eu\n", True),
        ("pay", "pay\n", False),
    ],
)
def test_a_pattern_is_compared_whole_and_only_a_star_is_special(pattern: str, namespace: str, matches: bool) -> None:
    assert NamespacePattern(pattern).matches(namespace) is matches


@given(st.text("ab*-", max_size=12), st.text("ab-", min_size=1, max_size=12))
def test_a_star_stands_for_any_characters(pattern: str, namespace: str) -> None:
    assert NamespacePattern(pattern).matches(namespace) is fnmatch.fnmatchcase(namespace, pattern)


def test_many_stars_before_a_letter_that_is_not_there_take_no_time() -> None:
    assert not NamespacePattern("*a" * 30 + "*b").matches("a" * 63)
