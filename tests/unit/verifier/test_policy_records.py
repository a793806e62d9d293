"""Policies as streamed: understood as a whole, or not at all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2 as pb
from hallmark.policy.v1 import revision_pb2
from registry.references import parse_reference
from verifier.clients.policy_records import decode_policy
from verifier.evidence.keys import parse_public_key
from verifier.risk import Severity
from verifier.rules.policy import (
    FixedVerdict,
    IdentityKind,
    Mode,
    NamedKey,
    Policy,
    Remap,
    Requirements,
    ScanCondition,
    Threshold,
    Unsupported,
)
from verifier.rules.selection import select

from tests.factories import marks, told

PEM = marks.pem_of(marks.new_key())


def decoded(*rules: pb.Rule) -> Policy:
    policy = decode_policy(told.policy(*rules, revision=7))
    assert isinstance(policy, Policy), policy
    return policy


def requirements(rule: pb.Rule) -> Requirements:
    decision = decoded(rule).rules[0].decision
    assert isinstance(decision, Requirements)
    return decision


def test_the_frame_of_a_policy() -> None:
    policy = decoded(
        told.rule("a", verdict=pb.FIXED_VERDICT_ALLOW, match=pb.Match(namespaces=["kube-*"], images=["nginx"])),
        told.rule("b", mode=pb.RULE_MODE_WARN),
    )
    assert (policy.cluster, policy.revision) == (told.CLUSTER, 7)
    assert policy.authorities == {"release": (NamedKey("release"),), "ci": (NamedKey("ci"),)}
    assert [(rule.name, rule.mode) for rule in policy.rules] == [("a", Mode.ENFORCE), ("b", Mode.WARN)]
    assert (policy.default.name, policy.default.decision) == ("default", FixedVerdict.DENY)
    image = parse_reference("docker.io/library/nginx:1")
    assert select(policy, "kube-system", image).name == "a"
    assert select(policy, "kube", image).name == "b"


def test_keys_by_name_by_version_and_by_pem() -> None:
    record = told.policy()
    keys = record.policy.authorities[0].keys
    keys[0].signer_key.version = 3
    keys.add(public_key_pem=PEM)
    policy = decode_policy(record)
    assert isinstance(policy, Policy)
    assert policy.authorities["release"] == (NamedKey("release", 3), parse_public_key(PEM))


def test_signatures_nest_and_have_an_age() -> None:
    inner = pb.Threshold(at_least=1, of=[pb.ThresholdMember(authority="ci")])
    members = [pb.ThresholdMember(authority="release"), pb.ThresholdMember(threshold=inner)]
    age = Duration(seconds=90 * 86400)
    wanted = pb.SignatureRequirement(at_least=2, of=members, max_age=age)
    signatures = requirements(told.rule(require=pb.Requirement(signatures=wanted))).signatures
    assert signatures
    assert signatures.threshold == Threshold(2, ("release", Threshold(1, ("ci",))))
    assert signatures.max_age == timedelta(days=90)


@pytest.mark.parametrize(
    ("identity", "meant"),
    [
        (None, IdentityKind.REPOSITORY),
        (pb.IdentityRequirement(match=pb.IDENTITY_MATCH_REPOSITORY), IdentityKind.REPOSITORY),
        (pb.IdentityRequirement(match=pb.IDENTITY_MATCH_EXACT), IdentityKind.EXACT),
        (pb.IdentityRequirement(match=pb.IDENTITY_MATCH_ANY), IdentityKind.ANY),
        (pb.IdentityRequirement(remap=pb.Remap(from_prefix="m.io", to_prefix="s.io")), Remap("m.io", "s.io")),
    ],
)
def test_identities(identity: pb.IdentityRequirement | None, meant: object) -> None:
    assert requirements(told.rule(require=told.signed_by(identity=identity))).identity == meant


def test_scan_conditions_and_their_defaults() -> None:
    plain = requirements(told.rule(require=pb.Requirement(scan=pb.ScanRequirement())))
    assert plain.scan == ScanCondition(None)
    assert plain.scan.max_age == timedelta(days=7)
    full = pb.ScanRequirement(
        max_severity=severity_pb2.SEVERITY_LOW,
        ignore_unfixed=True,
        unknown_as=severity_pb2.SEVERITY_HIGH,
        allow_unreadable=True,
        max_age=Duration(seconds=60),
    )
    assert requirements(told.rule(require=pb.Requirement(scan=full))).scan == ScanCondition(
        Severity.LOW, ignore_unfixed=True, unknown_as=Severity.HIGH, allow_unreadable=True, max_age=timedelta(minutes=1)
    )


def threshold(at_least: int, *authorities: str) -> pb.Rule:
    members = [pb.ThresholdMember(authority=name) for name in authorities]
    return told.rule(require=pb.Requirement(signatures=pb.SignatureRequirement(at_least=at_least, of=members)))


def deep(depth: int) -> pb.Rule:
    member = pb.ThresholdMember(authority="release")
    for _ in range(depth):
        member = pb.ThresholdMember(threshold=pb.Threshold(at_least=1, of=[member]))
    return told.rule(require=pb.Requirement(signatures=pb.SignatureRequirement(at_least=1, of=[member])))


def scanning(**members: object) -> pb.Rule:
    return told.rule(require=pb.Requirement(scan=pb.ScanRequirement(**members)))  # type: ignore[arg-type]  # any member


NOT_UNDERSTOOD = {
    "no decision": pb.Rule(name="r"),
    "no verdict": told.rule(verdict=pb.FIXED_VERDICT_UNSPECIFIED),
    "nothing required": told.rule(require=pb.Requirement()),
    "no mode": told.rule(mode=pb.RULE_MODE_UNSPECIFIED),
    "no authority": threshold(1),
    "below one": threshold(0, "release"),
    "above all": threshold(2, "release"),
    "an authority that is none": threshold(1, "nobody"),
    "a member that is none": told.rule(
        require=pb.Requirement(signatures=pb.SignatureRequirement(at_least=1, of=[pb.ThresholdMember()]))
    ),
    "too deep": deep(4),
    "an age of nothing": told.rule(
        require=pb.Requirement(
            signatures=pb.SignatureRequirement(
                at_least=1, of=[pb.ThresholdMember(authority="release")], max_age=Duration()
            )
        )
    ),
    "an age before": scanning(max_age=Duration(seconds=-1)),
    "an age beyond all time": scanning(max_age=Duration(seconds=1 << 62)),
    "a limit of UNKNOWN": scanning(max_severity=severity_pb2.SEVERITY_UNKNOWN),
    "a limit unspecified": scanning(max_severity=severity_pb2.SEVERITY_UNSPECIFIED),
    "UNKNOWN as UNKNOWN": scanning(unknown_as=severity_pb2.SEVERITY_UNKNOWN),
    "an identity that is none": told.rule(require=told.signed_by(identity=pb.IdentityRequirement())),
    "an identity unspecified": told.rule(
        require=told.signed_by(identity=pb.IdentityRequirement(match=pb.IDENTITY_MATCH_UNSPECIFIED))
    ),
    "a remap to nothing": told.rule(
        require=told.signed_by(identity=pb.IdentityRequirement(remap=pb.Remap(from_prefix="a")))
    ),
    "a pattern that is none": told.rule(match=pb.Match(images=["a b"])),
}


@pytest.mark.parametrize("rule", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_a_part_that_is_not_enforced_makes_the_whole_unsupported(rule: pb.Rule) -> None:
    policy = decode_policy(told.policy(told.rule("good"), rule, revision=7))
    assert isinstance(policy, Unsupported), policy
    assert (policy.cluster, policy.revision) == (told.CLUSTER, 7)
    assert policy.problem


def no_default(record: revision_pb2.PolicyRecord) -> None:
    record.policy.default_verdict = pb.FIXED_VERDICT_UNSPECIFIED


def other_cluster(record: revision_pb2.PolicyRecord) -> None:
    record.policy.cluster = "other"


def no_keys(record: revision_pb2.PolicyRecord) -> None:
    record.policy.authorities[0].ClearField("keys")


def key_of_no_kind(record: revision_pb2.PolicyRecord) -> None:
    record.policy.authorities[0].keys.add()


def broken_pem(record: revision_pb2.PolicyRecord) -> None:
    record.policy.authorities[0].keys.add(public_key_pem="no key")


def twice(record: revision_pb2.PolicyRecord) -> None:
    record.policy.authorities.append(record.policy.authorities[0])


@pytest.mark.parametrize("spoil", [no_default, other_cluster, no_keys, key_of_no_kind, broken_pem, twice])
def test_a_frame_that_is_broken_makes_the_whole_unsupported(spoil: Callable[[revision_pb2.PolicyRecord], None]) -> None:
    record = told.policy(told.rule())
    spoil(record)
    assert isinstance(decode_policy(record), Unsupported)


UNKNOWN_FIELD = b"\xf8\x07\x01"  # field 127, a varint


@pytest.mark.parametrize(
    "place",
    [
        lambda record: record,
        lambda record: record.policy,
        lambda record: record.policy.authorities[0],
        lambda record: record.policy.authorities[0].keys[0].signer_key,
        lambda record: record.policy.rules[0],
        lambda record: record.policy.rules[0].match,
        lambda record: record.policy.rules[0].require,
        lambda record: record.policy.rules[0].require.signatures.of[0],
        lambda record: record.policy.rules[0].require.scan,
    ],
)
def test_a_field_that_is_not_known_makes_the_whole_unsupported_wherever_it_stands(
    place: Callable[[revision_pb2.PolicyRecord], pb.Policy],
) -> None:
    full = told.rule(match=pb.Match(images=["**"]), require=told.signed_by(scan=pb.ScanRequirement()))
    record = told.policy(full)
    assert isinstance(decode_policy(record), Policy)
    place(record).MergeFromString(UNKNOWN_FIELD)
    policy = decode_policy(record)
    assert isinstance(policy, Unsupported)
    assert "127" in policy.problem


def test_an_enum_value_that_is_not_known_makes_the_whole_unsupported() -> None:
    record = told.policy(told.rule())
    record.policy.rules[0].MergeFromString(b"\x28\x09")  # mode = 9
    assert isinstance(decode_policy(record), Unsupported)
