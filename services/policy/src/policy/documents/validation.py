"""A policy is accepted as a whole, or refused with everything that is wrong with it."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from chassis.errors import Violation

from policy.documents.authorities import authority_problems, public_keys
from policy.documents.model import Policy
from policy.documents.problems import CLUSTER
from policy.documents.rules import rule_problems
from policy.errors import PolicyInvalid

_MOST: Final = 20


def check(policy: Policy) -> None:
    """Raises PolicyInvalid with the first twenty problems, each with its field."""
    found = list(islice(_problems(policy), _MOST + 1))
    if found:
        counted = f"more than {_MOST} problems" if len(found) > _MOST else _plural(len(found))
        raise PolicyInvalid(
            f"The policy has {counted}; nothing was stored. First, {found[0].field}: {found[0].description}",
            violations=found[:_MOST],
        )


def _problems(policy: Policy) -> Iterator[Violation]:
    if not CLUSTER.fullmatch(policy.cluster):
        yield Violation("policy.cluster", "A cluster's name has 1 to 63 letters, digits, dots, underscores, hyphens.")
    if policy.default is None:
        yield Violation("policy.default_verdict", "The verdict for images that no rule matches is required.")
    yield from authority_problems(policy.authorities)
    yield from rule_problems(policy.rules, public_keys(policy.authorities))


def _plural(number: int) -> str:
    return "a problem" if number == 1 else f"{number} problems"
