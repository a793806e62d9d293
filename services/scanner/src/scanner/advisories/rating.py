"""How an advisory rates what it speaks of."""

from collections.abc import Iterable

from scanner.advisories.osv import Affected, Rating, Record, Specific
from scanner.severity import Severity, base_score, severity_of_score, severity_of_word

_PREFERENCE = ("CVSS_V4", "CVSS_V3", "CVSS_V2")


def severity_of(record: Record, affected: Affected) -> Severity:
    """An advisory's severity of one package: its word for the package, its word, then its CVSS vectors, the newest kind
    first; UNKNOWN where it says nothing that can be read.
    """
    specific = (affected.ecosystem_specific, affected.database_specific, record.database_specific)
    words = [word for source in specific for word in _words(source)]
    words += [rating.score for rating in _ratings(record, affected) if rating.type not in _PREFERENCE]
    scores = [base_score(rating.score) for rating in _vectors(_ratings(record, affected))]
    severities = [*map(severity_of_word, words), *map(severity_of_score, scores)]
    return next((severity for severity in severities if severity is not Severity.UNKNOWN), Severity.UNKNOWN)


def _words(specific: Specific | None) -> tuple[object, ...]:
    return (specific.severity, specific.urgency) if specific else ()


def _ratings(record: Record, affected: Affected) -> tuple[Rating, ...]:
    return (affected.severity or ()) + (record.severity or ())


def _vectors(ratings: Iterable[Rating]) -> list[Rating]:
    known = [rating for rating in ratings if rating.type in _PREFERENCE]
    return sorted(known, key=lambda rating: _PREFERENCE.index(rating.type))
