"""Thresholds count authorities met by pairwise different keys."""

from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verifier.evaluation.thresholds import authorities_met, is_met
from verifier.reasons import Code, Rejection
from verifier.rules.policy import Threshold

AUTHORITIES = ("a", "b", "c", "d")
KEYS = ("k1", "k2", "k3", "k4")

keys_of_authorities = st.fixed_dictionaries(
    {name: st.frozensets(st.sampled_from(KEYS), max_size=3) for name in AUTHORITIES}
)
flat = st.lists(st.sampled_from(AUTHORITIES), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.builds(Threshold, st.integers(1, len(names)), st.just(tuple(names)))
)


def nest(inner: st.SearchStrategy[Threshold]) -> st.SearchStrategy[Threshold]:
    members = st.lists(st.sampled_from(AUTHORITIES) | inner, min_size=1, max_size=3)
    return members.flatmap(lambda of: st.builds(Threshold, st.integers(1, len(of)), st.just(tuple(of))))


thresholds = st.recursive(flat, nest, max_leaves=3)


def seats(member: str | Threshold) -> list[tuple[str, ...]]:
    """Every choice of authorities that meets it, by trying all: the definition, written down once more."""
    if isinstance(member, str):
        return [(member,)]
    return [
        sum(parts, ())
        for chosen in combinations(member.of, member.at_least)
        for parts in product(*(seats(part) for part in chosen))
    ]


def met_by_trying_all(threshold: Threshold, keys: dict[str, frozenset[str]]) -> bool:
    return any(
        all(key in keys[authority] for authority, key in zip(chosen, order, strict=True))
        for chosen in seats(threshold)
        if len(chosen) <= len(KEYS)
        for order in permutations(KEYS, len(chosen))
    )


@settings(deadline=None)
@given(thresholds, keys_of_authorities)
def test_it_is_met_exactly_where_different_keys_can_be_dealt_out(
    threshold: Threshold, keys: dict[str, frozenset[str]]
) -> None:
    assert is_met(threshold, keys) == met_by_trying_all(threshold, keys)


@given(thresholds, keys_of_authorities, st.sampled_from(AUTHORITIES), st.sampled_from(KEYS))
def test_one_more_signature_never_takes_away(
    threshold: Threshold, keys: dict[str, frozenset[str]], authority: str, key: str
) -> None:
    more = keys | {authority: keys[authority] | {key}}
    assert is_met(threshold, more) or not is_met(threshold, keys)


def test_one_key_in_two_authorities_counts_once() -> None:
    keys = {"a": frozenset({"k1"}), "b": frozenset({"k1"})}
    assert not is_met(Threshold(2, ("a", "b")), keys)
    assert authorities_met(Threshold(2, ("a", "b")), keys) == 1


def test_many_keys_of_one_authority_are_one_authority() -> None:
    assert not is_met(Threshold(2, ("a", "b")), {"a": frozenset(KEYS), "b": frozenset()})


def test_keys_are_dealt_out_so_that_as_many_as_possible_are_met() -> None:
    keys = {"a": frozenset({"k1", "k2"}), "b": frozenset({"k1"}), "c": frozenset({"k2", "k3"})}
    assert is_met(Threshold(3, ("a", "b", "c")), keys)


def test_an_authority_without_signatures_is_not_met() -> None:
    assert not is_met(Threshold(1, ("a",)), {})


def test_too_many_choices_are_no_yes() -> None:
    pairs = tuple(Threshold(2, (f"x{n}", f"y{n}")) for n in range(20))
    shared = frozenset(f"k{n}" for n in range(20))
    keys = {f"{side}{n}": shared for n in range(20) for side in "xy"}
    with pytest.raises(Rejection) as refused:
        is_met(Threshold(11, pairs), keys)
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED
