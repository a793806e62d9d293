"""Problems of signature thresholds, which nest."""

from collections.abc import Iterator, Mapping
from typing import Final

from chassis.errors import Violation

from policy.documents.model import Member, Threshold
from policy.documents.problems import count, repeated

_MOST_MEMBERS: Final = 20
_DEEPEST: Final = 3

Keys = Mapping[str, frozenset[str]]
"""The fingerprints of the PEMs in each authority of the policy, by its name."""


def threshold_problems(path: str, threshold: Threshold, keys: Keys, depth: int = 0) -> Iterator[Violation]:
    """Everything that is wrong with a threshold and those within it."""
    if depth > _DEEPEST:
        yield Violation(path, f"Thresholds nest at most {_DEEPEST} deep.")
        return
    yield from count(f"{path}.of", threshold.of, _MOST_MEMBERS, least=1)
    members = threshold.of[:_MOST_MEMBERS]
    if threshold.of and not 1 <= threshold.at_least <= len(threshold.of):
        yield Violation(
            f"{path}.at_least",
            f"At least {threshold.at_least} of {len(threshold.of)} makes no sense; it is between 1 and their number.",
        )
    for number, member in enumerate(members):
        yield from _member_problems(f"{path}.of[{number}]", member, keys, depth)
    named = [(f"{path}.of[{number}]", member) for number, member in enumerate(members) if isinstance(member, str)]
    yield from repeated(named, "This authority")
    yield from _overlaps(named, keys)


def _member_problems(path: str, member: Member, keys: Keys, depth: int) -> Iterator[Violation]:
    match member:
        case None:
            yield Violation(path, "A member is an authority or a threshold; neither is set.")
        case Threshold():
            yield from threshold_problems(f"{path}.threshold", member, keys, depth + 1)
        case name if name not in keys:
            yield Violation(f"{path}.authority", f"The policy has no authority {name[:63]!a}.")


def _overlaps(named: list[tuple[str, str]], keys: Keys) -> Iterator[Violation]:
    holder: dict[str, str] = {}
    for path, name in named:
        for found in sorted(keys.get(name, ())):
            if holder.setdefault(found, name) != name:
                yield Violation(
                    path,
                    f"The authorities {holder[found]} and {name} hold the same public key, so that one signer would"
                    " count as two.",
                )
