"""A cluster's policy as the verifier understands it. Whatever it could not understand is no Policy but Unsupported."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from registry.patterns import Pattern

from verifier.evidence.keys import PublicKey
from verifier.risk import Severity
from verifier.rules.namespaces import NamespacePattern


class Mode(Enum):
    """What becomes of a verdict that is not ALLOW."""

    ENFORCE = "ENFORCE"
    WARN = "WARN"
    AUDIT = "AUDIT"


class FixedVerdict(Enum):
    """The verdict of a rule that looks at nothing but the reference."""

    ALLOW = "ALLOW"
    DENY = "DENY"


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key of the signer: one version of it, or all where `version` is None."""

    name: str
    version: int | None = None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


KeySelector: TypeAlias = NamedKey | PublicKey


@dataclass(frozen=True, slots=True)
class Threshold:
    """At least so many of these authorities or further thresholds, met by pairwise different public keys."""

    at_least: int
    of: tuple["str | Threshold", ...]

    def __str__(self) -> str:
        return f"{self.at_least} of [{', '.join(str(member) for member in self.of)}]"

    def authorities(self) -> frozenset[str]:
        """The names of all authorities in it, however deep."""
        return frozenset().union(
            *({member} if isinstance(member, str) else member.authorities() for member in self.of),
        )


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures that a rule demands. `max_age` None: however old."""

    threshold: Threshold
    max_age: timedelta | None


class IdentityKind(Enum):
    """What the signed reference must be: the image's repository, its repository and tag, or anything."""

    REPOSITORY = "REPOSITORY"
    EXACT = "EXACT"
    ANY = "ANY"


@dataclass(frozen=True, slots=True)
class Remap:
    """The signed reference must name this repository with the prefix `mirror` replaced by `source`."""

    mirror: str
    source: str


Identity: TypeAlias = IdentityKind | Remap


@dataclass(frozen=True, slots=True)
class ScanCondition:
    """What the image's risk must be. `max_severity` None: any, as long as it was scanned."""

    max_severity: Severity | None
    ignore_unfixed: bool = False
    unknown_as: Severity = Severity.CRITICAL
    allow_unreadable: bool = False
    max_age: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Requirements:
    """Everything that must hold; at least one of `signatures` and `scan` is there."""

    signatures: Signatures | None
    scan: ScanCondition | None
    identity: Identity = IdentityKind.REPOSITORY


@dataclass(frozen=True, slots=True)
class Rule:
    """Which images, and what about them. Empty `namespaces` or `images` match all; both must match."""

    name: str
    namespaces: tuple[NamespacePattern, ...]
    images: tuple[Pattern, ...]
    mode: Mode
    decision: FixedVerdict | Requirements


@dataclass(frozen=True, slots=True)
class Policy:
    """The active revision of a cluster's policy. `rules` in order, the first that matches decides; else `default`."""

    cluster: str
    revision: int
    authorities: Mapping[str, tuple[KeySelector, ...]]
    rules: tuple[Rule, ...]
    default: Rule


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The active revision holds something that this verifier does not know or does not enforce."""

    cluster: str
    revision: int
    problem: str
