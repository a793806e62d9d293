"""What can be found about an image: outcomes, effects and reasons, each reason with a typed code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """What was found about an image."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    UNAVAILABLE = "UNAVAILABLE"


class Effect(Enum):
    """What the adapter does about it."""

    ADMIT = "ADMIT"
    ADMIT_WITH_WARNING = "ADMIT_WITH_WARNING"
    REJECT = "REJECT"


class Code(Enum):
    """Why an image is not allowed; the names are those of the API's ReasonCode."""

    NO_SIGNATURE = "NO_SIGNATURE"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    UNTRUSTED_KEY = "UNTRUSTED_KEY"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    KEY_DISABLED = "KEY_DISABLED"
    KEY_UNAVAILABLE = "KEY_UNAVAILABLE"
    AUTHORITY_OVERLAP = "AUTHORITY_OVERLAP"
    SIGNATURE_REVOKED = "SIGNATURE_REVOKED"
    SIGNATURE_TOO_OLD = "SIGNATURE_TOO_OLD"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH"
    WRONG_TYPE = "WRONG_TYPE"
    THRESHOLD_NOT_MET = "THRESHOLD_NOT_MET"
    TAG_NOT_PINNED = "TAG_NOT_PINNED"
    NOT_SCANNED = "NOT_SCANNED"
    SCAN_FAILED = "SCAN_FAILED"
    SCAN_UNSUPPORTED = "SCAN_UNSUPPORTED"
    SCAN_INCOMPLETE = "SCAN_INCOMPLETE"
    SCAN_UNREADABLE = "SCAN_UNREADABLE"
    SCAN_TOO_OLD = "SCAN_TOO_OLD"
    SEVERITY_EXCEEDED = "SEVERITY_EXCEEDED"
    INVALID_REFERENCE = "INVALID_REFERENCE"
    REGISTRY_NOT_ALLOWED = "REGISTRY_NOT_ALLOWED"
    REGISTRY_UNAVAILABLE = "REGISTRY_UNAVAILABLE"
    RISK_UNAVAILABLE = "RISK_UNAVAILABLE"
    POLICY_MISSING = "POLICY_MISSING"
    POLICY_STALE = "POLICY_STALE"
    POLICY_UNSUPPORTED = "POLICY_UNSUPPORTED"
    TRUST_STALE = "TRUST_STALE"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    DENIED_BY_RULE = "DENIED_BY_RULE"


COULD_NOT_TELL = frozenset(
    {
        Code.KEY_UNAVAILABLE,
        Code.REGISTRY_UNAVAILABLE,
        Code.RISK_UNAVAILABLE,
        Code.POLICY_MISSING,
        Code.POLICY_STALE,
        Code.POLICY_UNSUPPORTED,
        Code.TRUST_STALE,
        Code.LIMIT_EXCEEDED,
    }
)
"""The codes that mean UNAVAILABLE; every other one means DENY."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code, a sentence for a person, and facts for machines."""

    code: Code
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Rejection(Exception):
    """Raised by each step of a verification that does not hold; success is to reach the end without one."""

    def __init__(self, code: Code, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = Reason(code, message, metadata)


def outcome_of(reasons: Iterable[Reason]) -> Outcome:
    """What follows from the reasons why not: ALLOW where there is none, UNAVAILABLE where one could not be told."""
    codes = {reason.code for reason in reasons}
    if not codes:
        return Outcome.ALLOW
    return Outcome.UNAVAILABLE if codes & COULD_NOT_TELL else Outcome.DENY
