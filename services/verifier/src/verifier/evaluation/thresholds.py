"""Whether authorities are met by pairwise different public keys.

One threshold over authorities is a maximum matching of authorities and keys in a bipartite graph. Where thresholds
nest, the choice of authorities is searched, with a bound: the problem contains set packing, so no quick way is known.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from verifier.reasons import Code, Rejection
from verifier.rules.policy import Threshold

STEPS = 20_000
"""How many choices of nested thresholds are tried before the answer is LIMIT_EXCEEDED."""

Keys: TypeAlias = Mapping[str, frozenset[str]]
"""For each authority the fingerprints of the keys that signed for it and count."""
Matching: TypeAlias = dict[str, tuple[str, int]]
"""For each fingerprint that is used the authority that it serves, and the number of its seat."""


def is_met(threshold: Threshold, keys: Keys) -> bool:
    """Whether the threshold is met, no key counting twice. Raises Rejection LIMIT_EXCEEDED."""
    if all(isinstance(member, str) for member in threshold.of):
        return len(_greedy(threshold, keys)) >= threshold.at_least
    return next(_Search(keys).meet(threshold, {}), None) is not None


def authorities_met(threshold: Threshold, keys: Keys) -> int:
    """How many of all its authorities could be met at once by different keys; for explaining."""
    flat = Threshold(1, tuple(sorted(threshold.authorities())))
    return len(_greedy(flat, keys))


def _greedy(threshold: Threshold, keys: Keys) -> Matching:
    """A maximum matching: sets of authorities that can be served form a matroid, so that greed finds a largest one."""
    matching: Matching = {}
    for seat, authority in enumerate(threshold.of):
        if isinstance(authority, str):
            matching = _seat((authority, seat), keys, matching) or matching
    return matching


def _seat(seat: tuple[str, int], keys: Keys, matching: Matching) -> Matching | None:
    """The matching with one more seat served, by an augmenting path; None where there is none."""
    served = dict(matching)
    return served if _augment(seat, keys, served, set()) else None


def _augment(seat: tuple[str, int], keys: Keys, matching: Matching, tried: set[str]) -> bool:
    for key in sorted(keys.get(seat[0], frozenset()) - tried):
        tried.add(key)
        holder = matching.get(key)
        if holder is None or _augment(holder, keys, matching, tried):
            matching[key] = seat
            return True
    return False


class _Search:
    """A search for authorities that meet nested thresholds together."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._steps = 0
        self._seats = 0

    def meet(self, threshold: Threshold, matching: Matching) -> Iterator[Matching]:
        """Every way to meet the threshold on top of the seats already served."""
        return self._choose(threshold, 0, threshold.at_least, matching)

    def _choose(self, threshold: Threshold, index: int, wanted: int, matching: Matching) -> Iterator[Matching]:
        self._steps += 1
        if self._steps > STEPS:
            raise Rejection(Code.LIMIT_EXCEEDED, "The rule's nested thresholds take too many choices to decide.")
        if wanted == 0:
            yield matching
            return
        if len(threshold.of) - index < wanted:
            return
        for chosen in self._meet_member(threshold.of[index], matching):
            yield from self._choose(threshold, index + 1, wanted - 1, chosen)
        yield from self._choose(threshold, index + 1, wanted, matching)

    def _meet_member(self, member: str | Threshold, matching: Matching) -> Iterator[Matching]:
        if isinstance(member, Threshold):
            yield from self.meet(member, matching)
            return
        self._seats += 1
        served = _seat((member, self._seats), self._keys, matching)
        if served is not None:
            yield served
