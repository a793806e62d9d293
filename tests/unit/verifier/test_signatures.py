"""Which signatures satisfy a rule, and the reason for each that does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from registry.references import parse_image
from verifier.evaluation.signatures import unmet_signatures
from verifier.evaluation.subject import Subject
from verifier.evidence import bundles, simple_signing
from verifier.evidence.attribution import Fact, compute
from verifier.evidence.claims import Signature
from verifier.evidence.findings import Attributed, Finding, Unreadable
from verifier.evidence.keys import parse_public_key
from verifier.reasons import Code, Reason
from verifier.rules.policy import IdentityKind, NamedKey, Policy, Remap, Requirements, Threshold
from verifier.trust import (
    DigestsTarget,
    EarlierSignings,
    KeyVersionTarget,
    Purpose,
    SignatureTarget,
    Trust,
    TrustRecord,
)

from tests.factories import marks, trusts
from tests.factories import verifier_policies as policies

RELEASE, CI, STRANGER = marks.new_key(), marks.new_key(), marks.new_key()
RELEASE_1 = trusts.version(RELEASE)
CI_1 = trusts.version(CI, "ci")
PLACE = simple_signing.place_of("sha256:" + "0" * 64, 0)
IMAGE = f"{marks.REPOSITORY}@{marks.DIGEST}"


def simple(key: marks.PrivateKey = RELEASE, **payload: Any) -> Signature:
    data = marks.payload(**payload)
    return simple_signing.parse(PLACE, data, marks.b64(marks.sign(key, data)))


def bundled(key: marks.PrivateKey = RELEASE, **statement: Any) -> Signature:
    return bundles.parse(bundles.place_of("sha256:" + "1" * 64), marks.bundle(key, marks.statement(**statement)))


def attribute(signature: Signature, *keys: marks.PrivateKey) -> Attributed:
    """The signature with its key, found by trying; RELEASE, CI and STRANGER are known unless told otherwise."""
    publics = [parse_public_key(marks.pem_of(key)) for key in keys or (RELEASE, CI)]
    facts = compute([(signature, public) for public in publics])
    owner = next((public for public, fact in zip(publics, facts, strict=True) if fact is Fact.VERIFIED), None)
    return Attributed(signature, owner)


def judge(
    found: Sequence[Finding],
    requirements: Requirements | None = None,
    trust: Sequence[TrustRecord] = (RELEASE_1, CI_1),
    policy: Policy | None = None,
    image: str = IMAGE,
) -> list[Reason]:
    requirements = requirements or policies.require(signatures=policies.signatures())
    assert requirements.signatures
    subject = Subject(parse_image(image), marks.DIGEST, Trust(trust), trusts.NOW)
    return list(
        unmet_signatures(requirements.signatures, requirements, policy or policies.policy(), subject, list(found))
    )


def codes(reasons: list[Reason]) -> list[Code]:
    return [reason.code for reason in reasons]


BOTH = policies.require(signatures=policies.signatures("security", "build", at_least=2))


@pytest.mark.parametrize("make", [simple, bundled])
def test_one_good_signature_of_either_form_suffices(make: Any) -> None:
    assert judge([attribute(make())]) == []


@pytest.mark.parametrize("make", [simple, bundled])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"digest": "sha256:" + "cd" * 32}, Code.DIGEST_MISMATCH),
        ({"identity": "reg.example.com/pay/other"}, Code.IDENTITY_MISMATCH),
        ({"identity": "evil.example.com/pay/web"}, Code.IDENTITY_MISMATCH),
        ({"identity": "reg.example.com/pay/web/deeper"}, Code.IDENTITY_MISMATCH),
        ({"identity": "reg.example.com/pay/webx"}, Code.IDENTITY_MISMATCH),
        ({"identity": ""}, Code.IDENTITY_MISMATCH),
        ({"identity": "reg.example.com/pay/wеb"}, Code.IDENTITY_MISMATCH),
    ],
)
def test_a_signature_of_something_else_does_not_count(make: Any, change: dict[str, str], code: Code) -> None:
    assert codes(judge([attribute(make(**change))])) == [code]


def test_no_signature() -> None:
    assert codes(judge([])) == [Code.NO_SIGNATURE]


def test_what_does_not_parse_is_named_and_a_good_one_beside_it_still_counts() -> None:
    broken = Unreadable(PLACE, Reason(Code.INVALID_SIGNATURE, "A signature does not parse."))
    assert codes(judge([broken])) == [Code.INVALID_SIGNATURE]
    assert judge([broken, attribute(simple())]) == []


def test_a_key_that_the_rule_does_not_accept() -> None:
    reasons = judge([attribute(simple(CI))])
    assert codes(reasons) == [Code.UNTRUSTED_KEY]
    assert "ci@1" in reasons[0].message


def test_a_key_that_nobody_knows() -> None:
    assert codes(judge([attribute(simple(STRANGER))])) == [Code.UNTRUSTED_KEY]
    assert codes(judge([attribute(bundled(STRANGER))])) == [Code.UNTRUSTED_KEY]


def test_a_broken_signature_that_names_one_of_our_keys_or_a_signing() -> None:
    forged = replace(bundled(), signature=b"0")
    assert codes(judge([attribute(forged)])) == [Code.INVALID_SIGNATURE]
    ours = replace(simple(optional={"hallmark.signing_id": "5f"}), signature=b"0")
    assert codes(judge([attribute(ours)])) == [Code.INVALID_SIGNATURE]


def test_a_graft_of_another_signatures_bytes_does_not_count() -> None:
    grafted = replace(simple(digest=marks.DIGEST), signature=simple(digest="sha256:" + "cd" * 32).signature)
    assert codes(judge([attribute(grafted)])) == [Code.UNTRUSTED_KEY]


def test_two_signatures_by_one_key_are_one() -> None:
    found = [attribute(simple()), attribute(simple(optional={"n": 2})), attribute(bundled())]
    assert codes(judge(found, BOTH)) == [Code.THRESHOLD_NOT_MET]
    assert judge([*found, attribute(simple(CI))], BOTH) == []


def test_two_versions_with_one_public_key_are_one_key() -> None:
    trust = [RELEASE_1, trusts.version(RELEASE, "release", 2), CI_1]
    assert codes(judge([attribute(simple())], BOTH, trust)) == [Code.THRESHOLD_NOT_MET]


def test_authorities_that_share_a_key_are_refused() -> None:
    shared = policies.policy(
        authorities={"security": (NamedKey("release"),), "build": (NamedKey("ci"), NamedKey("release"))}
    )
    assert codes(judge([attribute(simple()), attribute(simple(CI))], BOTH, policy=shared)) == [Code.AUTHORITY_OVERLAP]
    nested = policies.require(signatures=policies.signatures(Threshold(2, ("security", "build"))))
    assert codes(judge([], nested, policy=shared)) == [Code.AUTHORITY_OVERLAP]


def test_a_key_that_the_signer_does_not_have_is_named_only_where_something_is_missing() -> None:
    policy = policies.policy(authorities={"security": (NamedKey("gone"), NamedKey("release"))})
    assert codes(judge([], policy=policy)) == [Code.NO_SIGNATURE, Code.KEY_UNKNOWN]
    assert judge([attribute(simple())], policy=policy) == []


def test_a_version_of_a_key() -> None:
    new = marks.new_key()
    trust = [RELEASE_1, trusts.version(new, "release", 2)]
    only_second = policies.policy(authorities={"security": (NamedKey("release", 2),)})
    assert codes(judge([attribute(simple())], trust=trust, policy=only_second)) == [Code.UNTRUSTED_KEY]
    assert judge([attribute(simple(new), new)], trust=trust, policy=only_second) == []
    for key in (RELEASE, new):
        assert judge([attribute(simple(key), RELEASE, new)], trust=trust) == []
    missing = policies.policy(authorities={"security": (NamedKey("release", 3),)})
    assert codes(judge([], trust=trust, policy=missing)) == [Code.NO_SIGNATURE, Code.KEY_UNKNOWN]


def test_a_disabled_key() -> None:
    trust = [trusts.version(RELEASE, enabled=False)]
    assert codes(judge([attribute(simple())], trust=trust)) == [Code.KEY_DISABLED]


def test_a_key_that_cannot_be_read_here() -> None:
    trust = [trusts.version(RELEASE, public=None, unreadable="its algorithm is not known here")]
    assert codes(judge([], trust=trust)) == [Code.NO_SIGNATURE, Code.KEY_UNAVAILABLE]


@pytest.mark.parametrize("purpose", [Purpose.ATTESTATION, Purpose.RAW])
def test_a_key_of_another_purpose(purpose: Purpose) -> None:
    trust = [trusts.version(RELEASE, purpose=purpose)]
    assert codes(judge([attribute(simple())], trust=trust)) == [Code.WRONG_TYPE]


def test_a_raw_key_is_told_by_fingerprint_alone() -> None:
    trust = [trusts.version(RELEASE, purpose=Purpose.RAW, public=None)]
    assert codes(judge([], trust=trust)) == [Code.NO_SIGNATURE, Code.WRONG_TYPE]
    by_pem = policies.policy(authorities={"security": (parse_public_key(marks.pem_of(RELEASE)),)})
    assert codes(judge([attribute(simple())], trust=trust, policy=by_pem)) == [Code.WRONG_TYPE]


def test_a_pem_in_the_policy_needs_no_signer() -> None:
    by_pem = policies.policy(authorities={"security": (parse_public_key(marks.pem_of(STRANGER)),)})
    assert judge([attribute(simple(STRANGER), STRANGER)], policy=by_pem) == []


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        ([trusts.version(RELEASE, enabled=False)], Code.KEY_DISABLED),
        ([RELEASE_1, trusts.version(RELEASE, "copy", enabled=False)], Code.KEY_DISABLED),
        ([trusts.version(RELEASE, revoked=True)], Code.SIGNATURE_REVOKED),
    ],
)
def test_a_pem_equal_to_a_key_of_the_signer_is_that_key(trust: list[TrustRecord], code: Code) -> None:
    by_pem = policies.policy(authorities={"security": (parse_public_key(marks.pem_of(RELEASE)),)})
    assert codes(judge([attribute(simple())], trust=trust, policy=by_pem)) == [code]


@pytest.mark.parametrize(
    ("target", "counts"),
    [
        (DigestsTarget("5f"), False),
        (DigestsTarget("60"), True),
        (SignatureTarget(marks.DIGEST, "release", 1), False),
        (SignatureTarget(marks.DIGEST, "release", 2), True),
        (SignatureTarget("sha256:" + "cd" * 32, "release", 1), True),
        (KeyVersionTarget("release", 1), False),
        (KeyVersionTarget("release", 2), True),
    ],
)
def test_revocations_strike_what_they_name(target: Any, counts: bool) -> None:
    found = [attribute(simple(optional={"hallmark.signing_id": "5f"}))]
    reasons = judge(found, trust=[RELEASE_1, trusts.revocation(target)])
    assert codes(reasons) == ([] if counts else [Code.SIGNATURE_REVOKED])


def test_a_key_version_revoked_from_a_time_on_leaves_what_was_recorded_before() -> None:
    signature = simple(optional={"hallmark.signing_id": "5f"})
    pair = ("5f", signature.payload_sha256)
    target = KeyVersionTarget("release", 1)
    revoked = trusts.version(RELEASE, revoked=True)
    first, second = trusts.revocation(target, name="r1"), trusts.revocation(target, name="r2")
    standing = EarlierSignings("r1", frozenset({pair}))
    assert judge([attribute(signature)], trust=[revoked, first, standing]) == []
    assert codes(judge([attribute(signature)], trust=[revoked, first, second, standing])) == [Code.SIGNATURE_REVOKED]
    assert codes(judge([attribute(signature)], trust=[revoked])) == [Code.SIGNATURE_REVOKED]
    copied = simple(optional={"hallmark.signing_id": "5f", "n": 2})
    assert codes(judge([attribute(copied)], trust=[revoked, first, standing])) == [Code.SIGNATURE_REVOKED]
    foreign = simple()
    assert codes(judge([attribute(foreign)], trust=[revoked, first, standing])) == [Code.SIGNATURE_REVOKED]


MIRROR = Remap("mirror.example.com", "reg.example.com")
MIRRORED = f"mirror.example.com/pay/web@{marks.DIGEST}"


def aged(**optional: Any) -> list[Reason]:
    demand = policies.require(signatures=policies.signatures(max_age=timedelta(days=90)))
    return judge([attribute(simple(optional=optional))], demand)


def iso(ago: timedelta) -> str:
    return (trusts.NOW - ago).isoformat()


@pytest.mark.parametrize(
    ("optional", "counts"),
    [
        ({"hallmark.signed_at": iso(timedelta(days=90))}, True),
        ({"hallmark.signed_at": iso(timedelta(days=90, seconds=1))}, False),
        ({"hallmark.signed_at": iso(-timedelta(minutes=5))}, True),
        ({"hallmark.signed_at": iso(-timedelta(minutes=6))}, False),
        ({"timestamp": int(trusts.NOW.timestamp()) - 3600}, True),
        ({"timestamp": int(trusts.NOW.timestamp()) - 91 * 86400}, False),
        ({"hallmark.signed_at": iso(timedelta(days=91)), "timestamp": int(trusts.NOW.timestamp())}, False),
        ({}, False),
    ],
)
def test_the_age_of_a_signature(optional: dict[str, Any], counts: bool) -> None:
    assert codes(aged(**optional)) == ([] if counts else [Code.SIGNATURE_TOO_OLD])


def test_a_signature_older_than_its_key() -> None:
    young = trusts.version(RELEASE, valid_from=trusts.NOW)
    signature = simple(optional={"hallmark.signed_at": iso(timedelta(minutes=6))})
    assert codes(judge([attribute(signature)], trust=[young])) == [Code.INVALID_SIGNATURE]


@pytest.mark.parametrize(
    ("identity", "signed", "image", "counts"),
    [
        (IdentityKind.REPOSITORY, f"{marks.REPOSITORY}:1", f"{marks.REPOSITORY}:2@{marks.DIGEST}", True),
        (IdentityKind.EXACT, f"{marks.REPOSITORY}:1", f"{marks.REPOSITORY}:1@{marks.DIGEST}", True),
        (IdentityKind.EXACT, f"{marks.REPOSITORY}:1", f"{marks.REPOSITORY}:2@{marks.DIGEST}", False),
        (IdentityKind.EXACT, f"{marks.REPOSITORY}:1", IMAGE, True),
        (IdentityKind.EXACT, marks.REPOSITORY, f"{marks.REPOSITORY}:1@{marks.DIGEST}", False),
        (IdentityKind.EXACT, marks.REPOSITORY, IMAGE, True),
        (IdentityKind.EXACT, marks.REPOSITORY, marks.REPOSITORY, False),
        (IdentityKind.EXACT, f"{marks.REPOSITORY}:1", marks.REPOSITORY, False),
        (IdentityKind.EXACT, f"{marks.REPOSITORY}:latest", marks.REPOSITORY, True),
        (IdentityKind.ANY, "other.example.com/x", IMAGE, True),
        (IdentityKind.ANY, "", IMAGE, True),
        (
            MIRROR,
            marks.REPOSITORY,
            MIRRORED,
            True,
        ),
        (
            Remap("mirror.example.com/p", "reg.example.com"),
            marks.REPOSITORY,
            MIRRORED,
            False,
        ),
        (
            MIRROR,
            "x.example.com/pay/web",
            MIRRORED,
            False,
        ),
        (MIRROR, marks.REPOSITORY, IMAGE, True),
    ],
)
def test_identity(identity: Any, signed: str, image: str, counts: bool) -> None:
    demand = policies.require(signatures=policies.signatures(), identity=identity)
    reasons = judge([attribute(simple(identity=signed))], demand, image=image)
    assert codes(reasons) == ([] if counts else [Code.IDENTITY_MISMATCH])


def test_every_fault_is_told_once() -> None:
    found = [attribute(simple(CI)), attribute(simple(CI, optional={"n": 1})), attribute(simple(STRANGER))]
    assert codes(judge(found)) == [Code.UNTRUSTED_KEY, Code.UNTRUSTED_KEY]
