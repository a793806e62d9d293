"""A policy message as the YAML that `policyfile` reads: reading it back gives the same message."""

from typing import Any

import yaml
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.policy.v1 import policy_pb2 as pb

from hallmark_cli.durations import spoken
from hallmark_cli.messages import word
from hallmark_cli.policyfile import API_VERSION, IDENTITIES, KIND, MODES, VERDICTS

Fields = dict[str, Any]


def write(policy: pb.Policy) -> str:
    """The YAML document."""
    document: Fields = {"apiVersion": API_VERSION, "kind": KIND, "cluster": policy.cluster}
    if policy.authorities:
        document["authorities"] = [
            {"name": one.name, "keys": [_key(key) for key in one.keys]} for one in policy.authorities
        ]
    document["default"] = {"verdict": _name(VERDICTS, policy.default_verdict)}
    if policy.rules:
        document["rules"] = [_rule(rule) for rule in policy.rules]
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=False, width=120)


class _Plain(yaml.SafeDumper):
    """Writes a value that stands in two places twice: no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def _key(key: pb.AuthorityKey) -> str:
    if key.WhichOneof("key") == "public_key_pem":
        return key.public_key_pem
    version = f"@{key.signer_key.version}" if key.signer_key.version else ""
    return f"{key.signer_key.name}{version}"


def _rule(rule: pb.Rule) -> Fields:
    fields: Fields = {"name": rule.name}
    if rule.HasField("match"):
        lists = {"namespaces": list(rule.match.namespaces), "images": list(rule.match.images)}
        fields["match"] = {name: patterns for name, patterns in lists.items() if patterns}
    if rule.HasField("mode"):
        fields["mode"] = _name(MODES, rule.mode)
    if rule.WhichOneof("decision") == "verdict":
        fields["verdict"] = _name(VERDICTS, rule.verdict)
    else:
        fields["require"] = _requirement(rule.require)
    return fields


def _requirement(require: pb.Requirement) -> Fields:
    fields: Fields = {}
    if require.HasField("signatures"):
        fields["signatures"] = _threshold(require.signatures)
        if require.signatures.HasField("max_age"):
            fields["signatures"]["maxAge"] = spoken(require.signatures.max_age)
    if require.HasField("identity"):
        fields["identity"] = _identity(require.identity)
    if require.HasField("scan"):
        fields["scan"] = _scan(require.scan)
    return fields


def _threshold(threshold: pb.SignatureRequirement | pb.Threshold) -> Fields:
    return {"atLeast": threshold.at_least, "of": [_member(one) for one in threshold.of]}


def _member(member: pb.ThresholdMember) -> str | Fields:
    return member.authority if member.WhichOneof("member") == "authority" else _threshold(member.threshold)


def _identity(identity: pb.IdentityRequirement) -> str | Fields:
    if identity.WhichOneof("identity") == "remap":
        return {"remap": {"from": identity.remap.from_prefix, "to": identity.remap.to_prefix}}
    return _name(IDENTITIES, identity.match)


def _scan(scan: pb.ScanRequirement) -> Fields:
    fields: Fields = {}
    if scan.HasField("max_severity"):
        fields["maxSeverity"] = word(Severity.DESCRIPTOR, scan.max_severity)
    if scan.ignore_unfixed:
        fields["ignoreUnfixed"] = True
    if scan.HasField("unknown_as"):
        fields["unknownAs"] = word(Severity.DESCRIPTOR, scan.unknown_as)
    if scan.allow_unreadable:
        fields["allowUnreadable"] = True
    if scan.HasField("max_age"):
        fields["maxAge"] = spoken(scan.max_age)
    return fields


def _name(words: dict[str, Any], number: int) -> str:
    return next(name for name, value in words.items() if value == number)
