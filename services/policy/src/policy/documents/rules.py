"""Problems of rules: their names, patterns and requirements."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from chassis.errors import InvalidArgument, Violation
from registry.patterns import compile_pattern
from registry.references import parse_reference

from policy.documents.model import Identity, Remap, Requirement, Rule, Scan, Severity, Verdict
from policy.documents.problems import age, count, repeated
from policy.documents.thresholds import Keys, threshold_problems

_MOST_RULES: Final = 500
_MOST_PATTERNS: Final = 100
_LONGEST_NAME: Final = 100
_LONGEST_PREFIX: Final = 250
_DEFAULT: Final = "default"
_NAMESPACE: Final = re.compile(r"[a-z0-9*-]{1,63}", re.ASCII)
_MOST_STARS: Final = 8
_OLDEST_SIGNATURE: Final = timedelta(days=3650)
_OLDEST_RISK: Final = timedelta(days=365)


def rule_problems(rules: Sequence[Rule], keys: Keys) -> Iterator[Violation]:
    """Everything that is wrong with the rules of a policy."""
    yield from count("policy.rules", rules, _MOST_RULES)
    names = []
    for number, rule in enumerate(rules[:_MOST_RULES]):
        path = f"policy.rules[{number}]"
        names.append((f"{path}.name", rule.name))
        yield from _name_problems(f"{path}.name", rule.name)
        yield from _match_problems(f"{path}.match", rule)
        yield from _decision_problems(path, rule, keys)
    yield from repeated(names, "This name")


def _name_problems(path: str, name: str) -> Iterator[Violation]:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or name != name.strip():
        yield Violation(path, f"A name has 1 to {_LONGEST_NAME} printable characters, none of them blank at its ends.")
    if name == _DEFAULT:
        yield Violation(path, f"{_DEFAULT!r} is the name of the policy's default.")


def _match_problems(path: str, rule: Rule) -> Iterator[Violation]:
    yield from count(f"{path}.namespaces", rule.namespaces, _MOST_PATTERNS)
    for number, text in enumerate(rule.namespaces[:_MOST_PATTERNS]):
        if not _NAMESPACE.fullmatch(text) or text.count("*") > _MOST_STARS:
            yield Violation(
                f"{path}.namespaces[{number}]",
                "A pattern of namespaces has 1 to 63 of a-z, 0-9, hyphens and stars, at most 8 of them stars.",
            )
    yield from count(f"{path}.images", rule.images, _MOST_PATTERNS)
    for number, text in enumerate(rule.images[:_MOST_PATTERNS]):
        try:
            compile_pattern(text)
        except InvalidArgument as refusal:
            yield Violation(f"{path}.images[{number}]", refusal.message)


def _decision_problems(path: str, rule: Rule, keys: Keys) -> Iterator[Violation]:
    match rule.decision:
        case None:
            yield Violation(path, "A rule says verdict or require; neither is set.")
        case Verdict():
            if rule.mode is not None:
                yield Violation(f"{path}.mode", "A mode belongs to a requirement; this rule has a verdict.")
        case Requirement():
            yield from _requirement_problems(f"{path}.require", rule.decision, keys)


def _requirement_problems(path: str, require: Requirement, keys: Keys) -> Iterator[Violation]:
    if require.signatures is None and require.scan is None:
        yield Violation(path, "A requirement demands signatures or a scan; this one demands nothing.")
    if require.signatures is not None:
        yield from threshold_problems(f"{path}.signatures", require.signatures.threshold, keys)
        yield from age(f"{path}.signatures.max_age", require.signatures.max_age, _OLDEST_SIGNATURE)
    if require.identity is not None:
        if require.signatures is None:
            yield Violation(f"{path}.identity", "An identity is one of signatures; this rule demands none.")
        yield from _identity_problems(f"{path}.identity", require.identity)
    if require.scan is not None:
        yield from _scan_problems(f"{path}.scan", require.scan)


def _identity_problems(path: str, identity: Identity) -> Iterator[Violation]:
    match identity.how:
        case None:
            yield Violation(path, "An identity says match or remap; neither is set.")
        case Remap(from_prefix=from_prefix, to_prefix=to_prefix):
            for name, prefix in (("from_prefix", from_prefix), ("to_prefix", to_prefix)):
                if not _is_prefix(prefix):
                    yield Violation(
                        f"{path}.remap.{name}",
                        "A prefix is a registry host in lower case with or without path segments, written out and"
                        f" without wildcards, at most {_LONGEST_PREFIX} characters.",
                    )


def _is_prefix(text: str) -> bool:
    """Whether a repository below the prefix is, as it is written, in its normal form."""
    below = f"{text}/a/b"
    try:
        return len(text) <= _LONGEST_PREFIX and parse_reference(below).name == below
    except InvalidArgument:
        return False


def _scan_problems(path: str, scan: Scan) -> Iterator[Violation]:
    for name, severity in (("max_severity", scan.max_severity), ("unknown_as", scan.unknown_as)):
        if severity is Severity.UNKNOWN:
            yield Violation(f"{path}.{name}", "UNKNOWN has no rank; name CRITICAL, HIGH, MEDIUM, LOW or NEGLIGIBLE.")
    yield from age(f"{path}.max_age", scan.max_age, _OLDEST_RISK)
