"""Policies as people write them: the YAML form that Git holds, and the typed message that the policy service takes.

The form is that of `apiVersion: hallmark.policy/v1`; docs/cli.md describes it. What the service does not enforce yet is
refused by name, never read and ignored.
"""

import re
from typing import TypeVar

import yaml
from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.policy.v1 import policy_pb2 as pb

from hallmark_cli import durations
from hallmark_cli.messages import number as enum_number
from hallmark_cli.messages import words
from hallmark_cli.yamltree import Node, boolean, malformed, mapping, number, parse, sequence, text, texts

API_VERSION = "hallmark.policy/v1"
KIND = "ClusterPolicy"
VERSIONED = re.compile(r"(?P<name>[^@\s]+)@(?P<version>[1-9][0-9]{0,8})")
PEM = "-----BEGIN "

RANKED = [word for word in words(Severity.DESCRIPTOR) if word != "UNKNOWN"]
VERDICTS = {"allow": pb.FIXED_VERDICT_ALLOW, "deny": pb.FIXED_VERDICT_DENY}
MODES = {"enforce": pb.RULE_MODE_ENFORCE, "warn": pb.RULE_MODE_WARN, "audit": pb.RULE_MODE_AUDIT}
IDENTITIES = {
    "repository": pb.IDENTITY_MATCH_REPOSITORY,
    "exact": pb.IDENTITY_MATCH_EXACT,
    "any": pb.IDENTITY_MATCH_ANY,
}

Chosen = TypeVar("Chosen")


def read(source: bytes) -> pb.Policy:
    """The policy of a YAML document. Raises Malformed, with line and column."""
    top = mapping(parse(source), ("apiVersion", "kind", "cluster", "default"), ("authorities", "rules", "breakGlass"))
    _exactly(top["apiVersion"], API_VERSION)
    _exactly(top["kind"], KIND)
    _refuse_unsupported(top, "breakGlass")
    return pb.Policy(
        cluster=text(top["cluster"]),
        authorities=[_authority(node) for node in _items(top, "authorities")],
        default_verdict=_verdict(mapping(top["default"], ("verdict",))["verdict"]),
        rules=[_rule(node) for node in _items(top, "rules")],
    )


def _authority(node: Node) -> pb.Authority:
    fields = mapping(node, ("name", "keys"))
    return pb.Authority(name=text(fields["name"]), keys=map(key, texts(fields["keys"])))


def key(named: str) -> pb.AuthorityKey:
    """A key as policies name it: a key of the signer, one version of it (`name@3`), or a public key in PEM."""
    if named.lstrip().startswith(PEM):
        return pb.AuthorityKey(public_key_pem=named)
    match = VERSIONED.fullmatch(named)
    if match:
        return pb.AuthorityKey(signer_key=pb.SignerKey(name=match["name"], version=int(match["version"])))
    return pb.AuthorityKey(signer_key=pb.SignerKey(name=named))


def _rule(node: Node) -> pb.Rule:
    fields = mapping(node, ("name",), ("match", "verdict", "mode", "require"))
    if ("verdict" in fields) == ("require" in fields):
        raise malformed(node, "A rule has either `verdict` or `require`.")
    if "mode" in fields and "require" not in fields:
        raise malformed(fields["mode"], "`mode` stands beside `require` alone.")
    rule = pb.Rule(name=text(fields["name"]))
    if "match" in fields:
        rule.match.CopyFrom(_match(fields["match"]))
    if "verdict" in fields:
        rule.verdict = _verdict(fields["verdict"])
    else:
        rule.require.CopyFrom(_requirement(fields["require"]))
    if "mode" in fields:
        rule.mode = _choice(fields["mode"], MODES)
    return rule


def _match(node: Node) -> pb.Match:
    fields = mapping(node, (), ("namespaces", "images"))
    return pb.Match(**{name: texts(value) for name, value in fields.items()})


def _requirement(node: Node) -> pb.Requirement:
    fields = mapping(node, (), ("signatures", "identity", "scan", "attestations"))
    _refuse_unsupported(fields, "attestations")
    requirement = pb.Requirement()
    if "signatures" in fields:
        requirement.signatures.CopyFrom(_signatures(fields["signatures"]))
    if "identity" in fields:
        requirement.identity.CopyFrom(_identity(fields["identity"]))
    if "scan" in fields:
        requirement.scan.CopyFrom(_scan(fields["scan"]))
    return requirement


def _signatures(node: Node) -> pb.SignatureRequirement:
    fields = mapping(node, ("atLeast", "of"), ("maxAge",))
    required = pb.SignatureRequirement(at_least=number(fields["atLeast"]), of=_members(fields["of"]))
    if "maxAge" in fields:
        required.max_age.CopyFrom(_duration(fields["maxAge"]))
    return required


def _members(node: Node) -> list[pb.ThresholdMember]:
    return [_member(one) for one in sequence(node)]


def _member(node: Node) -> pb.ThresholdMember:
    if isinstance(node, yaml.MappingNode):
        fields = mapping(node, ("atLeast", "of"))
        nested = pb.Threshold(at_least=number(fields["atLeast"]), of=_members(fields["of"]))
        return pb.ThresholdMember(threshold=nested)
    return pb.ThresholdMember(authority=text(node))


def _identity(node: Node) -> pb.IdentityRequirement:
    if isinstance(node, yaml.MappingNode):
        prefixes = mapping(mapping(node, ("remap",))["remap"], ("from", "to"))
        remap = pb.Remap(from_prefix=text(prefixes["from"]), to_prefix=text(prefixes["to"]))
        return pb.IdentityRequirement(remap=remap)
    return pb.IdentityRequirement(match=_choice(node, IDENTITIES))


def _scan(node: Node) -> pb.ScanRequirement:
    unsupported = ("denyExploited", "denyEndOfLife")
    supported = ("maxSeverity", "ignoreUnfixed", "unknownAs", "allowUnreadable", "maxAge")
    fields = mapping(node, (), (*supported, *unsupported))
    _refuse_unsupported(fields, *unsupported)
    required = pb.ScanRequirement()
    if "maxSeverity" in fields:
        required.max_severity = _severity(fields["maxSeverity"])
    if "ignoreUnfixed" in fields:
        required.ignore_unfixed = boolean(fields["ignoreUnfixed"])
    if "unknownAs" in fields:
        required.unknown_as = _severity(fields["unknownAs"])
    if "allowUnreadable" in fields:
        required.allow_unreadable = boolean(fields["allowUnreadable"])
    if "maxAge" in fields:
        required.max_age.CopyFrom(_duration(fields["maxAge"]))
    return required


def _items(fields: dict[str, Node], name: str) -> list[Node]:
    return sequence(fields[name]) if name in fields else []


def _verdict(node: Node) -> pb.FixedVerdict.ValueType:
    return _choice(node, VERDICTS)


def _severity(node: Node) -> Severity.ValueType:
    numbers = {word: Severity.ValueType(enum_number(Severity.DESCRIPTOR, word)) for word in RANKED}
    return _choice(node, numbers)


def _duration(node: Node) -> Duration:
    try:
        return durations.parse(text(node))
    except ValueError as problem:
        raise malformed(node, str(problem)) from None


def _exactly(node: Node, wanted: str) -> None:
    if text(node) != wanted:
        raise malformed(node, f"Here `{wanted}` belongs.")


def _choice(node: Node, choices: dict[str, Chosen]) -> Chosen:
    word = text(node)
    if word not in choices:
        raise malformed(node, f"`{word}` is none of: {', '.join(choices)}.")
    return choices[word]


def _refuse_unsupported(fields: dict[str, Node], *names: str) -> None:
    for name in names:
        if name in fields:
            raise malformed(fields[name], f"`{name}` is not supported yet: nothing would enforce it. Leave it away.")
