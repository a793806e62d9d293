"""Policies: from a message to what is checked and what is stored."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2 as pb

from policy.documents.model import (
    Authority,
    Identity,
    IdentityMatch,
    Member,
    Mode,
    Policy,
    PublicKey,
    Remap,
    Requirement,
    Rule,
    Scan,
    Severity,
    Signatures,
    SignerKey,
    Threshold,
    Verdict,
)
from policy.errors import PolicyTooLarge
from policy.wire.completeness import demand_known

LARGEST: Final = 512 * 1024
_LONGEST_SECONDS: Final = 10**10
"""More seconds than any age may have, fewer than a timedelta holds."""
_VERDICTS: Final = {pb.FIXED_VERDICT_ALLOW: Verdict.ALLOW, pb.FIXED_VERDICT_DENY: Verdict.DENY}
_MODES: Final = {pb.RULE_MODE_ENFORCE: Mode.ENFORCE, pb.RULE_MODE_WARN: Mode.WARN, pb.RULE_MODE_AUDIT: Mode.AUDIT}
_MATCHES: Final = {
    pb.IDENTITY_MATCH_REPOSITORY: IdentityMatch.REPOSITORY,
    pb.IDENTITY_MATCH_EXACT: IdentityMatch.EXACT,
    pb.IDENTITY_MATCH_ANY: IdentityMatch.ANY,
}
_SEVERITIES: Final = {severity_pb2.Severity.Value(f"SEVERITY_{severity.value}"): severity for severity in Severity}

Limit = TypeVar("Limit", pb.SignatureRequirement, pb.ScanRequirement)


def decode_policy(message: pb.Policy) -> tuple[Policy, bytes]:
    """The policy to check, and the document to store. Raises PolicyTooLarge, PolicyUnsupported."""
    document = message.SerializeToString(deterministic=True)
    if len(document) > LARGEST:
        raise PolicyTooLarge(f"A policy has at most {LARGEST} bytes; this one has {len(document)}.", field="policy")
    demand_known(message, "policy")
    policy = Policy(
        cluster=message.cluster,
        authorities=tuple(map(_authority, message.authorities)),
        default=_VERDICTS.get(message.default_verdict),
        rules=tuple(map(_rule, message.rules)),
    )
    return policy, document


def encode_policy(document: bytes) -> pb.Policy:
    """The message of a stored document."""
    return pb.Policy.FromString(document)


def _authority(message: pb.Authority) -> Authority:
    return Authority(message.name, tuple(map(_key, message.keys)))


def _key(message: pb.AuthorityKey) -> SignerKey | PublicKey | None:
    match message.WhichOneof("key"):
        case "signer_key":
            return SignerKey(message.signer_key.name, message.signer_key.version)
        case "public_key_pem":
            return PublicKey(message.public_key_pem)
    return None


def _rule(message: pb.Rule) -> Rule:
    return Rule(
        name=message.name,
        namespaces=tuple(message.match.namespaces),
        images=tuple(message.match.images),
        decision=_decision(message),
        mode=_MODES.get(message.mode) if message.HasField("mode") else None,
    )


def _decision(message: pb.Rule) -> Verdict | Requirement | None:
    match message.WhichOneof("decision"):
        case "verdict":
            return _VERDICTS.get(message.verdict)
        case "require":
            return _requirement(message.require)
    return None


def _requirement(message: pb.Requirement) -> Requirement:
    return Requirement(
        signatures=_signatures(message.signatures) if message.HasField("signatures") else None,
        identity=_identity(message.identity) if message.HasField("identity") else None,
        scan=_scan(message.scan) if message.HasField("scan") else None,
    )


def _signatures(message: pb.SignatureRequirement) -> Signatures:
    return Signatures(Threshold(message.at_least, _members(message.of)), _age(message))


def _members(members: Iterable[pb.ThresholdMember]) -> tuple[Member, ...]:
    return tuple(map(_member, members))


def _member(message: pb.ThresholdMember) -> Member:
    match message.WhichOneof("member"):
        case "authority":
            return message.authority
        case "threshold":
            return Threshold(message.threshold.at_least, _members(message.threshold.of))
    return None


def _identity(message: pb.IdentityRequirement) -> Identity:
    match message.WhichOneof("identity"):
        case "match":
            return Identity(_MATCHES.get(message.match))
        case "remap":
            return Identity(Remap(message.remap.from_prefix, message.remap.to_prefix))
    return Identity(None)


def _scan(message: pb.ScanRequirement) -> Scan:
    return Scan(
        max_severity=_SEVERITIES.get(message.max_severity) if message.HasField("max_severity") else None,
        unknown_as=_SEVERITIES.get(message.unknown_as) if message.HasField("unknown_as") else None,
        max_age=_age(message),
    )


def _age(message: Limit) -> timedelta | None:
    return _timedelta(message.max_age) if message.HasField("max_age") else None


def _timedelta(duration: Duration) -> timedelta:
    """The duration; one beyond what a timedelta holds is as far out of bounds as the longest here."""
    seconds = max(-_LONGEST_SECONDS, min(duration.seconds, _LONGEST_SECONDS))
    return timedelta(seconds=seconds, microseconds=duration.nanos / 1000)
