"""What is known of each vulnerability in a package version, put together from every advisory that matches it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scanner import versions
from scanner.severity import Severity, worst


class FindingKey(NamedTuple):
    """Which finding: a vulnerability in a package version, by its number in the store."""

    package_version: int
    vulnerability: str


@dataclass(frozen=True, slots=True)
class Match:
    """A package version lies in an interval of an advisory that speaks of a vulnerability.

    Not `comparable`: the version, or a bound of the interval, is no version of its ecosystem.
    """

    key: FindingKey
    record_id: str
    ecosystem: str
    severity: Severity
    fixed: str | None
    comparable: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a finding; ids and versions in order."""

    severity: Severity
    fixed_versions: tuple[str, ...]
    advisory_ids: tuple[str, ...]
    comparable: bool


Rated = tuple[str, Severity]
"""An advisory's id and its severity."""


def facts_of(matches: Iterable[Match], ratings: Mapping[str, Sequence[Rated]]) -> Mapping[FindingKey, Facts]:
    """The findings that `matches` make.

    `ratings` holds, for a vulnerability, what every advisory that speaks of it says, matching or not: where none that
    matches rates it, another one's word counts.
    """
    grouped: dict[FindingKey, list[Match]] = defaultdict(list)
    for match in matches:
        grouped[match.key].append(match)
    return {key: _facts(found, ratings.get(key.vulnerability, ())) for key, found in grouped.items()}


def _facts(found: Sequence[Match], ratings: Sequence[Rated]) -> Facts:
    comparable = any(match.comparable for match in found)
    return Facts(
        severity=_severity(found, ratings),
        fixed_versions=_fixed_versions(found, comparable),
        advisory_ids=tuple(sorted({match.record_id for match in found})),
        comparable=comparable,
    )


def _severity(found: Sequence[Match], ratings: Sequence[Rated]) -> Severity:
    own = _first_rated([(match.record_id, match.severity) for match in found], ("GHSA-",))
    return own or _first_rated(ratings, ("CVE-", "GHSA-")) or Severity.UNKNOWN


def _first_rated(rated: Iterable[Rated], preferred: Sequence[str]) -> Severity | None:
    """The severity by the first of the sources `preferred` (prefixes of ids), else by any; the worst of equals."""
    known = [one for one in rated if one[1] is not Severity.UNKNOWN]
    for prefix in (*preferred, ""):
        if severity := worst(severity for record_id, severity in known if record_id.startswith(prefix)):
            return severity
    return None


def _fixed_versions(found: Sequence[Match], comparable: bool) -> tuple[str, ...]:
    """Where versions compare, the one that satisfies every advisory: the last; else all that are named."""
    ecosystem = found[0].ecosystem
    fixed = sorted({match.fixed for match in found if match.fixed}, key=lambda version: _order(ecosystem, version))
    return tuple(fixed[-1:] if comparable else fixed)


def _order(ecosystem: str, version: str) -> tuple[bytes, str]:
    try:
        return versions.key(ecosystem, version), version
    except versions.InvalidVersion:
        return b"", version
