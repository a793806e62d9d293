"""A policy as it was sent, before anybody has checked it. None stands for what was not set."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TypeAlias


class Verdict(Enum):
    """What becomes of an image without looking at anything but its reference."""

    ALLOW = "ALLOW"
    DENY = "DENY"


class Mode(Enum):
    """What becomes of an image for which a rule's requirement does not hold."""

    ENFORCE = "ENFORCE"
    WARN = "WARN"
    AUDIT = "AUDIT"


class IdentityMatch(Enum):
    """How the signed reference is compared with the image's own."""

    REPOSITORY = "REPOSITORY"
    EXACT = "EXACT"
    ANY = "ANY"


class Severity(Enum):
    """How bad a vulnerability is; UNKNOWN has no rank."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    NEGLIGIBLE = "NEGLIGIBLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key of the signer; version 0 means every enabled one."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key in PEM."""

    pem: str


@dataclass(frozen=True, slots=True)
class Authority:
    """Public keys that count as one signer."""

    name: str
    keys: tuple[SignerKey | PublicKey | None, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """At least so many of these authorities (by name) and nested thresholds."""

    at_least: int
    of: tuple["Member", ...]


Member: TypeAlias = str | Threshold | None


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who must have signed; `max_age` None: however long ago."""

    threshold: Threshold
    max_age: timedelta | None


@dataclass(frozen=True, slots=True)
class Remap:
    """The signed reference names the image's repository with one prefix replaced by the other."""

    from_prefix: str
    to_prefix: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Which reference a signature must have been made for."""

    how: IdentityMatch | Remap | None


@dataclass(frozen=True, slots=True)
class Scan:
    """What the image's risk must be. The fields that are yes or no have nothing that could be wrong."""

    max_severity: Severity | None
    unknown_as: Severity | None
    max_age: timedelta | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """Everything that must hold for an image."""

    signatures: Signatures | None
    identity: Identity | None
    scan: Scan | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Which images, by patterns, and what about them."""

    name: str
    namespaces: tuple[str, ...]
    images: tuple[str, ...]
    decision: Verdict | Requirement | None
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What may run in a cluster; the first rule that matches decides, else the default."""

    cluster: str
    authorities: tuple[Authority, ...]
    default: Verdict | None
    rules: tuple[Rule, ...]
