"""What a policy may not say: each problem is named with its field, and all of them at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2 as pb
from policy.documents.validation import check
from policy.errors import PolicyInvalid, PolicyTooLarge
from policy.wire.policies import decode_policy

from tests.factories.policy_messages import (
    authority,
    named_key,
    pem,
    pem_key,
    policy,
    rule,
    signed,
    threshold,
)

SHARED = pem()


def problems(message: pb.Policy) -> dict[str, str]:
    """Every problem of a policy by its field; nothing where it is accepted."""
    try:
        check(decode_policy(message)[0])
    except PolicyInvalid as refusal:
        return {violation.field: violation.description for violation in refusal.violations}
    return {}


def require(**given: object) -> pb.Rule:
    return rule(require=pb.Requirement(**given))  # type: ignore[arg-type]  # the test names fields of Requirement


def matching(**given: list[str]) -> pb.Rule:
    return rule(match=pb.Match(**given))


def scan(**given: object) -> pb.Rule:
    return require(scan=pb.ScanRequirement(**given))  # type: ignore[arg-type]  # the test names fields


def remap(from_prefix: str, to_prefix: str) -> pb.Rule:
    remapped = pb.Remap(from_prefix=from_prefix, to_prefix=to_prefix)
    return require(signatures=signed(), identity=pb.IdentityRequirement(remap=remapped))


def nested(depth: int) -> pb.Threshold:
    return threshold(1, "security" if depth == 1 else nested(depth - 1))


ACCEPTED: dict[str, Callable[[], pb.Policy]] = {
    "a default alone": policy,
    "a verdict": lambda: policy(rule(verdict=pb.FIXED_VERDICT_ALLOW, match=pb.Match(namespaces=["kube-system"]))),
    "signatures of several": lambda: policy(require(signatures=signed("security", "build", at_least=2))),
    "nested thresholds": lambda: policy(require(signatures=signed("security", threshold(1, "build", "security")))),
    "thresholds three deep": lambda: policy(require(signatures=signed(nested(3)))),
    "a scan that must have happened": lambda: policy(require(scan=pb.ScanRequirement())),
    "a scan with every limit": lambda: policy(
        scan(
            max_severity=severity_pb2.SEVERITY_NEGLIGIBLE,
            ignore_unfixed=True,
            unknown_as=severity_pb2.SEVERITY_CRITICAL,
            allow_unreadable=True,
            max_age=Duration(seconds=1),
        )
    ),
    "a mode": lambda: policy(rule(mode=pb.RULE_MODE_AUDIT)),
    "an identity": lambda: policy(
        require(signatures=signed(), identity=pb.IdentityRequirement(match=pb.IDENTITY_MATCH_ANY))
    ),
    "a mirror of a whole registry": lambda: policy(remap("mirror.example.com:5000/hub", "docker.io")),
    "a version of a key": lambda: policy(authorities=[authority("security", named_key("release", 3))]),
    "two versions of a key": lambda: policy(
        authorities=[authority("security", named_key("release", 3), named_key("release", 4))]
    ),
    "the same PEM in authorities of different thresholds": lambda: policy(
        rule("one", require=pb.Requirement(signatures=signed("a"))),
        rule("two", require=pb.Requirement(signatures=signed("b"))),
        authorities=[authority("a", pem_key(SHARED)), authority("b", pem_key(SHARED))],
    ),
    "the same named key in two authorities, which the verifier tells at resolution": lambda: policy(
        require(signatures=signed("a", "b")),
        authorities=[authority("a", named_key("release")), authority("b", named_key("release"))],
    ),
    "every kind of pattern": lambda: policy(
        matching(images=["**", "nginx", "reg.example.com/**", "*.example.com/team-*/app"], namespaces=["pay-*", "*"])
    ),
}

REFUSED: dict[str, tuple[Callable[[], pb.Policy], str]] = {
    "no cluster": (lambda: policy(cluster=""), "policy.cluster"),
    "an odd cluster": (lambda: policy(cluster="a/b"), "policy.cluster"),
    "no default": (lambda: policy(default_verdict=pb.FIXED_VERDICT_UNSPECIFIED), "policy.default_verdict"),
    "too many authorities": (
        lambda: policy(authorities=[authority(f"a{number}") for number in range(101)]),
        "policy.authorities",
    ),
    "an authority without a name": (
        lambda: policy(authorities=[authority("", named_key("release"))]),
        "policy.authorities[0].name",
    ),
    "an authority twice": (
        lambda: policy(authorities=[authority("a"), authority("a")]),
        "policy.authorities[1].name",
    ),
    "an authority without keys": (
        lambda: policy(authorities=[pb.Authority(name="a")]),
        "policy.authorities[0].keys",
    ),
    "too many keys": (
        lambda: policy(authorities=[authority("a", *(named_key("k", number) for number in range(51)))]),
        "policy.authorities[0].keys",
    ),
    "a key that is none": (
        lambda: policy(authorities=[authority("a", pb.AuthorityKey())]),
        "policy.authorities[0].keys[0]",
    ),
    "a key with an odd name": (
        lambda: policy(authorities=[authority("a", named_key("Release"))]),
        "policy.authorities[0].keys[0].signer_key.name",
    ),
    "a key twice": (
        lambda: policy(authorities=[authority("a", pem_key(SHARED), pem_key(f"\n{SHARED}\n"))]),
        "policy.authorities[0].keys[1]",
    ),
    "too many rules": (
        lambda: policy(*(rule(f"r{number}", verdict=pb.FIXED_VERDICT_DENY) for number in range(501))),
        "policy.rules",
    ),
    "a rule without a name": (lambda: policy(rule("")), "policy.rules[0].name"),
    "a rule with blanks around its name": (lambda: policy(rule(" a")), "policy.rules[0].name"),
    "a rule with a line break in its name": (lambda: policy(rule("a\nb")), "policy.rules[0].name"),
    "a rule named default": (lambda: policy(rule("default")), "policy.rules[0].name"),
    "a rule twice": (lambda: policy(rule("a"), rule("b"), rule("a")), "policy.rules[2].name"),
    "a rule that says nothing": (lambda: policy(pb.Rule(name="a")), "policy.rules[0]"),
    "a requirement that demands nothing": (lambda: policy(require()), "policy.rules[0].require"),
    "an identity without signatures": (
        lambda: policy(
            require(scan=pb.ScanRequirement(), identity=pb.IdentityRequirement(match=pb.IDENTITY_MATCH_EXACT))
        ),
        "policy.rules[0].require.identity",
    ),
    "an identity that says nothing": (
        lambda: policy(require(signatures=signed(), identity=pb.IdentityRequirement())),
        "policy.rules[0].require.identity",
    ),
    "a mode beside a verdict": (
        lambda: policy(rule(verdict=pb.FIXED_VERDICT_DENY, mode=pb.RULE_MODE_WARN)),
        "policy.rules[0].mode",
    ),
    "too many namespaces": (lambda: policy(matching(namespaces=["a"] * 101)), "policy.rules[0].match.namespaces"),
    "an odd namespace": (lambda: policy(matching(namespaces=["Pay"])), "policy.rules[0].match.namespaces[0]"),
    "too many stars": (lambda: policy(matching(namespaces=["*a" * 9])), "policy.rules[0].match.namespaces[0]"),
    "an empty pattern": (lambda: policy(matching(images=["a", ""])), "policy.rules[0].match.images[1]"),
    "a pattern with a tag's at sign": (
        lambda: policy(matching(images=["a@sha256:0"])),
        "policy.rules[0].match.images[0]",
    ),
    "a pattern in another script": (
        lambda: policy(matching(images=["еxample.com/a"])),
        "policy.rules[0].match.images[0]",
    ),
    "at least none": (
        lambda: policy(require(signatures=signed("security", at_least=0))),
        "policy.rules[0].require.signatures.at_least",
    ),
    "more than there are": (
        lambda: policy(require(signatures=signed("security", "build", at_least=3))),
        "policy.rules[0].require.signatures.at_least",
    ),
    "more than there are, below": (
        lambda: policy(require(signatures=signed(threshold(2, "build")))),
        "policy.rules[0].require.signatures.of[0].threshold.at_least",
    ),
    "signatures of nobody": (
        lambda: policy(require(signatures=pb.SignatureRequirement(at_least=1))),
        "policy.rules[0].require.signatures.of",
    ),
    "a member that is none": (
        lambda: policy(require(signatures=pb.SignatureRequirement(at_least=1, of=[pb.ThresholdMember()]))),
        "policy.rules[0].require.signatures.of[0]",
    ),
    "an authority that the policy lacks": (
        lambda: policy(require(signatures=signed("nobody"))),
        "policy.rules[0].require.signatures.of[0].authority",
    ),
    "an authority twice in one threshold": (
        lambda: policy(require(signatures=signed("security", "build", "security"))),
        "policy.rules[0].require.signatures.of[2]",
    ),
    "a PEM in two authorities of one threshold": (
        lambda: policy(
            require(signatures=signed("a", "b")),
            authorities=[authority("a", pem_key(SHARED)), authority("b", named_key("ci"), pem_key(f"\n{SHARED}"))],
        ),
        "policy.rules[0].require.signatures.of[1]",
    ),
    "a PEM in two authorities of one nested threshold": (
        lambda: policy(
            require(signatures=signed(threshold(1, "a", "b"))),
            authorities=[authority("a", pem_key(SHARED)), authority("b", pem_key(SHARED))],
        ),
        "policy.rules[0].require.signatures.of[0].threshold.of[1]",
    ),
    "thresholds four deep": (
        lambda: policy(require(signatures=signed(nested(4)))),
        "policy.rules[0].require.signatures.of[0].threshold.of[0].threshold.of[0].threshold.of[0].threshold",
    ),
    "a signature no older than nothing": (
        lambda: policy(require(signatures=signed(max_age=timedelta()))),
        "policy.rules[0].require.signatures.max_age",
    ),
    "a signature older than the bound": (
        lambda: policy(require(signatures=signed(max_age=timedelta(days=3651)))),
        "policy.rules[0].require.signatures.max_age",
    ),
    "an age beyond all calendars": (
        lambda: policy(scan(max_age=Duration(seconds=2**62))),
        "policy.rules[0].require.scan.max_age",
    ),
    "an age below zero": (lambda: policy(scan(max_age=Duration(seconds=-1))), "policy.rules[0].require.scan.max_age"),
    "a limit without a rank": (
        lambda: policy(scan(max_severity=severity_pb2.SEVERITY_UNKNOWN)),
        "policy.rules[0].require.scan.max_severity",
    ),
    "an UNKNOWN that counts as UNKNOWN": (
        lambda: policy(scan(unknown_as=severity_pb2.SEVERITY_UNKNOWN)),
        "policy.rules[0].require.scan.unknown_as",
    ),
    "a mirror with a wildcard": (
        lambda: policy(remap("mirror.example.com/*", "docker.io")),
        "policy.rules[0].require.identity.remap.from_prefix",
    ),
    "a source in upper case": (
        lambda: policy(remap("mirror.example.com", "Docker.io")),
        "policy.rules[0].require.identity.remap.to_prefix",
    ),
    "a source without a host": (
        lambda: policy(remap("mirror.example.com", "library")),
        "policy.rules[0].require.identity.remap.to_prefix",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_policy_may_say(name: str) -> None:
    assert problems(ACCEPTED[name]()) == {}


@pytest.mark.parametrize("name", REFUSED)
def test_a_policy_may_not_say(name: str) -> None:
    message, field = REFUSED[name]
    assert list(problems(message())) == [field]


def test_all_problems_are_named_at_once_and_the_first_in_the_sentence() -> None:
    broken = policy(rule("a", verdict=pb.FIXED_VERDICT_DENY), pb.Rule(name="a"), cluster="")
    with pytest.raises(PolicyInvalid, match=r"3 problems; nothing was stored\. First, policy\.cluster: ") as refused:
        check(decode_policy(broken)[0])
    assert [violation.field for violation in refused.value.violations] == [
        "policy.cluster",
        "policy.rules[1]",
        "policy.rules[1].name",
    ]
    assert refused.value.reason == "POLICY_INVALID"


def test_the_list_of_problems_is_bounded() -> None:
    with pytest.raises(PolicyInvalid, match="more than 20 problems") as refused:
        check(decode_policy(policy(*(pb.Rule(name=f"r{number}") for number in range(100))))[0])
    assert len(refused.value.violations) == 20


def test_a_policy_above_the_bound_is_refused_before_anything_else() -> None:
    with pytest.raises(PolicyTooLarge, match="at most 524288 bytes"):
        decode_policy(policy(*(rule("x" * 1024) for _ in range(600))))


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    ],
    ids=["P-256", "P-384", "P-521", "RSA 2048", "Ed25519"],
)
def test_a_signature_may_rest_on(key: ec.EllipticCurvePublicKey) -> None:
    assert problems(policy(authorities=[authority("a", pem_key(pem(key)))])) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no PEM",
        pem(ec.generate_private_key(ec.SECP256K1()).public_key()),
        pem(rsa.generate_private_key(65537, 1024).public_key()),
        pem(ed448.Ed448PrivateKey.generate().public_key()),
        pem(dsa.generate_private_key(2048).public_key()),
        pem() + pem(),
        pem().replace("PUBLIC KEY", "CERTIFICATE"),
        pem().replace("M", "N", 1),
        pem() + " " * 16 * 1024,
    ],
    ids=["empty", "text", "secp256k1", "RSA 1024", "Ed448", "DSA", "two", "certificate", "spoiled", "long"],
)
def test_a_signature_may_not_rest_on(text: str) -> None:
    found = problems(policy(authorities=[authority("a", pem_key(text))]))
    assert list(found) == ["policy.authorities[0].keys[0].public_key_pem"]
