"""Policies of the verifier, by what a test is about; everything else has a plain value."""

from datetime import timedelta
from typing import Any

from registry.patterns import compile_pattern
from verifier.risk import Severity
from verifier.rules.namespaces import NamespacePattern
from verifier.rules.policy import (
    FixedVerdict,
    Identity,
    IdentityKind,
    KeySelector,
    Mode,
    NamedKey,
    Policy,
    Requirements,
    Rule,
    ScanCondition,
    Signatures,
    Threshold,
)

CLUSTER = "prod-eu"
REVISION = 7


def signatures(*of: str | Threshold, at_least: int = 1, max_age: timedelta | None = None) -> Signatures:
    """A demand for signatures; by the authority `security` where none is named."""
    return Signatures(Threshold(at_least, of or ("security",)), max_age)


def rule(
    decision: FixedVerdict | Requirements | None = None,
    *,
    name: str = "payments",
    namespaces: tuple[str, ...] = (),
    images: tuple[str, ...] = (),
    mode: Mode = Mode.ENFORCE,
) -> Rule:
    """A rule that demands one signature unless told otherwise."""
    return Rule(
        name=name,
        namespaces=tuple(NamespacePattern(text) for text in namespaces),
        images=tuple(compile_pattern(text) for text in images),
        mode=mode,
        decision=decision or require(signatures=signatures()),
    )


def require(
    *,
    signatures: Signatures | None = None,
    scan: ScanCondition | None = None,
    identity: Identity = IdentityKind.REPOSITORY,
) -> Requirements:
    """Requirements as given and nothing more."""
    return Requirements(signatures, scan, identity)


def policy(*rules: Rule, authorities: dict[str, tuple[KeySelector, ...]] | None = None, **changes: Any) -> Policy:
    """A policy of these rules that denies by default; the authority `security` is the signer's key `release`."""
    members: dict[str, Any] = {
        "cluster": CLUSTER,
        "revision": REVISION,
        "authorities": authorities or {"security": (NamedKey("release"),), "build": (NamedKey("ci"),)},
        "rules": rules,
        "default": rule(FixedVerdict.DENY, name="default"),
    }
    return Policy(**members | changes)


def scan(max_severity: Severity | None = Severity.MEDIUM, **changes: Any) -> ScanCondition:
    """A scan condition of at most MEDIUM."""
    return ScanCondition(max_severity=max_severity, **changes)
