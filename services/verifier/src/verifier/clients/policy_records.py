"""WatchPolicies in the verifier's words.

A policy that holds anything not known here, or not enforced, becomes Unsupported as a whole: nothing is read past.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2 as pb
from hallmark.policy.v1 import revision_pb2
from registry.patterns import InvalidPattern, Pattern, compile_pattern

from verifier.clients.completeness import unknown_parts
from verifier.evidence.keys import UnusableKey, parse_public_key
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
    Remap,
    Requirements,
    Rule,
    ScanCondition,
    Signatures,
    Threshold,
    Unsupported,
)

DEFAULT: Final = "default"
_DEEPEST: Final = 4

Known = TypeVar("Known")

_MODES: Mapping[int, Mode] = {
    pb.RULE_MODE_ENFORCE: Mode.ENFORCE,
    pb.RULE_MODE_WARN: Mode.WARN,
    pb.RULE_MODE_AUDIT: Mode.AUDIT,
}
_VERDICTS: Mapping[int, FixedVerdict] = {
    pb.FIXED_VERDICT_ALLOW: FixedVerdict.ALLOW,
    pb.FIXED_VERDICT_DENY: FixedVerdict.DENY,
}
_IDENTITIES: Mapping[int, IdentityKind] = {
    pb.IDENTITY_MATCH_REPOSITORY: IdentityKind.REPOSITORY,
    pb.IDENTITY_MATCH_EXACT: IdentityKind.EXACT,
    pb.IDENTITY_MATCH_ANY: IdentityKind.ANY,
}
_SEVERITIES: Mapping[int, Severity] = {
    severity_pb2.SEVERITY_CRITICAL: Severity.CRITICAL,
    severity_pb2.SEVERITY_HIGH: Severity.HIGH,
    severity_pb2.SEVERITY_MEDIUM: Severity.MEDIUM,
    severity_pb2.SEVERITY_LOW: Severity.LOW,
    severity_pb2.SEVERITY_NEGLIGIBLE: Severity.NEGLIGIBLE,
}


class _NotUnderstood(Exception):
    """A part of a policy that this verifier does not enforce; the text names it."""


def decode_policy(record: revision_pb2.PolicyRecord) -> Policy | Unsupported:
    """The policy in force in a cluster, if all of it is understood."""
    try:
        _check_known(record)
        return _policy(record)
    except _NotUnderstood as error:
        return Unsupported(record.cluster, record.revision, str(error))


def _check_known(record: revision_pb2.PolicyRecord) -> None:
    unknown = next(unknown_parts(record), None)
    if unknown:
        raise _NotUnderstood(f"it holds {unknown}, which this verifier does not know")


def _policy(record: revision_pb2.PolicyRecord) -> Policy:
    policy = record.policy
    if policy.cluster != record.cluster or not record.cluster:
        raise _NotUnderstood("it is the policy of another cluster")
    authorities = {authority.name: tuple(_key(key) for key in authority.keys) for authority in policy.authorities}
    if len(authorities) != len(policy.authorities) or not all(authorities.values()):
        raise _NotUnderstood("an authority stands in it twice or has no key")
    return Policy(
        cluster=record.cluster,
        revision=record.revision,
        authorities=authorities,
        rules=tuple(_rule(rule, authorities.keys()) for rule in policy.rules),
        default=Rule(DEFAULT, (), (), Mode.ENFORCE, _verdict(policy.default_verdict)),
    )


def _key(key: pb.AuthorityKey) -> KeySelector:
    match key.WhichOneof("key"):
        case "signer_key":
            return NamedKey(key.signer_key.name, key.signer_key.version or None)
        case "public_key_pem":
            try:
                return parse_public_key(key.public_key_pem)
            except UnusableKey as error:
                raise _NotUnderstood(f"a public key in it is {error}") from error
    raise _NotUnderstood("a key of an authority is named in no way that is known")


def _rule(rule: pb.Rule, authorities: AbstractSet[str]) -> Rule:
    match rule.WhichOneof("decision"):
        case "verdict":
            decision: FixedVerdict | Requirements = _verdict(rule.verdict)
        case "require":
            decision = _requirements(rule.require, authorities)
        case _:
            raise _NotUnderstood(f"the rule {rule.name!r} decides nothing")
    return Rule(
        name=rule.name,
        namespaces=tuple(NamespacePattern(text) for text in rule.match.namespaces),
        images=tuple(_pattern(text) for text in rule.match.images),
        mode=_one_of(_MODES, rule.mode, "mode") if rule.HasField("mode") else Mode.ENFORCE,
        decision=decision,
    )


def _verdict(verdict: pb.FixedVerdict.ValueType) -> FixedVerdict:
    return _one_of(_VERDICTS, verdict, "verdict")


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(text)
    except InvalidPattern as error:
        raise _NotUnderstood(error.message) from error


def _requirements(require: pb.Requirement, authorities: AbstractSet[str]) -> Requirements:
    signatures = _signatures(require.signatures, authorities) if require.HasField("signatures") else None
    scan = _scan(require.scan) if require.HasField("scan") else None
    if signatures is None and scan is None:
        raise _NotUnderstood("a requirement in it requires nothing")
    return Requirements(signatures, scan, _identity(require))


def _signatures(require: pb.SignatureRequirement, authorities: AbstractSet[str]) -> Signatures:
    max_age = _duration(require.max_age) if require.HasField("max_age") else None
    return Signatures(_threshold(require, authorities, _DEEPEST), max_age)


def _threshold(
    threshold: pb.SignatureRequirement | pb.Threshold, authorities: AbstractSet[str], depth: int
) -> Threshold:
    if not 1 <= threshold.at_least <= len(threshold.of) or not depth:
        raise _NotUnderstood("a threshold in it is below 1, above its members, or nested too deep")
    return Threshold(threshold.at_least, tuple(_member(member, authorities, depth - 1) for member in threshold.of))


def _member(member: pb.ThresholdMember, authorities: AbstractSet[str], depth: int) -> str | Threshold:
    match member.WhichOneof("member"):
        case "authority" if member.authority in authorities:
            return member.authority
        case "threshold":
            return _threshold(member.threshold, authorities, depth)
    raise _NotUnderstood("a threshold in it has a member that is no authority of the policy")


def _identity(require: pb.Requirement) -> Identity:
    if not require.HasField("identity"):
        return IdentityKind.REPOSITORY
    match require.identity.WhichOneof("identity"):
        case "match":
            return _one_of(_IDENTITIES, require.identity.match, "identity")
        case "remap" if require.identity.remap.from_prefix and require.identity.remap.to_prefix:
            return Remap(require.identity.remap.from_prefix, require.identity.remap.to_prefix)
    raise _NotUnderstood("an identity in it is compared in no way that is known")


def _scan(require: pb.ScanRequirement) -> ScanCondition:
    limited, rated = require.HasField("max_severity"), require.HasField("unknown_as")
    return ScanCondition(
        max_severity=_one_of(_SEVERITIES, require.max_severity, "max_severity") if limited else None,
        ignore_unfixed=require.ignore_unfixed,
        unknown_as=_one_of(_SEVERITIES, require.unknown_as, "unknown_as") if rated else Severity.CRITICAL,
        allow_unreadable=require.allow_unreadable,
        max_age=_duration(require.max_age) if require.HasField("max_age") else timedelta(days=7),
    )


def _duration(duration: Duration) -> timedelta:
    try:
        age = duration.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise _NotUnderstood("an age in it is out of range") from error
    if age <= timedelta(0):
        raise _NotUnderstood("an age in it is not more than zero")
    return age


def _one_of(known: Mapping[int, Known], value: int, what: str) -> Known:
    if value not in known:
        raise _NotUnderstood(f"its {what} is none that is known")
    return known[value]
