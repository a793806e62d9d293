"""How bad a vulnerability is, by the words and CVSS vectors of its sources."""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Final

from cvss import CVSS2, CVSS3, CVSS4  # type: ignore[import-untyped]
from cvss.exceptions import CVSSError  # type: ignore[import-untyped]


class Severity(IntEnum):
    """The worst is the smallest. UNKNOWN has no rank; its number stands last so that lists end with it."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4
    NEGLIGIBLE = 5
    UNKNOWN = 6


_WORDS: Final = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "negligible": Severity.NEGLIGIBLE,
    "unimportant": Severity.NEGLIGIBLE,
}
_LONGEST_VECTOR = 512


def worst(severities: Iterable[Severity]) -> Severity | None:
    """The worst that has a rank, else UNKNOWN where there is one, else None."""
    return min(severities, default=None)


def severity_of_word(word: object) -> Severity:
    """What a source's own word means; UNKNOWN for what is no word of severity."""
    return _WORDS.get(word.strip().lower(), Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN


def severity_of_score(score: float | None) -> Severity:
    """The band of a CVSS base score (CVSS 3.1 section 5, for all versions). Sources write 0.0 for none given."""
    if score is None or score <= 0:
        return Severity.UNKNOWN
    bands = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))
    return next((severity for least, severity in bands if score >= least), Severity.LOW)


@lru_cache(maxsize=65_536)
def base_score(vector: str) -> float | None:
    """The base score of a CVSS vector of version 2.0, 3.0, 3.1 or 4.0; None where it is malformed."""
    if len(vector) > _LONGEST_VECTOR:
        return None
    try:
        return float(_calculator(vector).base_score)
    except CVSSError:
        return None


def _calculator(vector: str) -> CVSS2 | CVSS3 | CVSS4:
    if vector.startswith("CVSS:4"):
        return CVSS4(vector)
    return CVSS3(vector) if vector.startswith("CVSS:3") else CVSS2(vector)
