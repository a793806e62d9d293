"""What policy service, signer and scanner tell a verifier, as records of their streams."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2, revision_pb2
from hallmark.scanner.v1 import risk_pb2
from hallmark.signer.v1 import key_pb2, revocation_pb2, trust_pb2

from tests.factories import marks

CLUSTER = "prod-eu"


def stamp(time: datetime) -> Timestamp:
    """A Timestamp."""
    made = Timestamp()
    made.FromDatetime(time)
    return made


def signed_by(*keys: str, **requirement: Any) -> policy_pb2.Requirement:
    """A requirement of one signature by these authorities; further members as given."""
    members = [policy_pb2.ThresholdMember(authority=key) for key in keys or ("release",)]
    signatures = policy_pb2.SignatureRequirement(at_least=1, of=members)
    return policy_pb2.Requirement(signatures=signatures, **requirement)


def rule(name: str = "payments", **members: Any) -> policy_pb2.Rule:
    """A rule that demands a signature by `release`; further members replace its own."""
    if not members.keys() & {"require", "verdict"}:
        members["require"] = signed_by()
    return policy_pb2.Rule(name=name, **members)


def policy(*rules: policy_pb2.Rule, revision: int = 1, cluster: str = CLUSTER) -> revision_pb2.PolicyRecord:
    """A policy of these rules in force, which denies by default; each authority is the signer's key of its name."""
    authorities = [
        policy_pb2.Authority(name=name, keys=[policy_pb2.AuthorityKey(signer_key=policy_pb2.SignerKey(name=name))])
        for name in ("release", "ci")
    ]
    content = policy_pb2.Policy(
        cluster=cluster, authorities=authorities, default_verdict=policy_pb2.FIXED_VERDICT_DENY, rules=rules
    )
    return revision_pb2.PolicyRecord(cluster=cluster, revision=revision, policy=content)


def key_version(key: marks.PrivateKey, name: str = "release", **members: Any) -> trust_pb2.TrustRecord:
    """The first version of an enabled P-256 image key; further members replace its own."""
    told: dict[str, Any] = {
        "key": name,
        "version": 1,
        "purpose": key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE,
        "algorithm": key_pb2.ALGORITHM_ECDSA_P256_SHA256,
        "public_key_pem": marks.pem_of(key),
        "fingerprint": marks.fingerprint_of(key),
        "state": key_pb2.KEY_STATE_ENABLED,
        "valid_from": stamp(datetime(2020, 1, 1, tzinfo=UTC)),
    }
    return trust_pb2.TrustRecord(key_version=key_pb2.KeyVersion(**told | members))


def revocation(target: revocation_pb2.RevocationTarget, *digests: str) -> trust_pb2.TrustRecord:
    """A revocation."""
    revoked = revocation_pb2.Revocation(revocation_id="r1", target=target, reason="a mistake", digests=digests)
    return trust_pb2.TrustRecord(revocation=revoked)


def signing(repository: str, *digests: str) -> trust_pb2.TrustRecord:
    """Notice of a new signing."""
    notice = trust_pb2.SigningNotice(signing_id="5f", repository=repository, digests=digests)
    return trust_pb2.TrustRecord(signing=notice)


def feeds(**members: Any) -> risk_pb2.RiskRecord:
    """A fresh feed set."""
    told: dict[str, Any] = {"feed_set_id": "Debian:12", "as_of": stamp(datetime.now(UTC))}
    return risk_pb2.RiskRecord(feed_set=risk_pb2.FeedSet(**told | members))


def risk(repository: str, digest: str = marks.DIGEST, **members: Any) -> risk_pb2.RiskRecord:
    """A scanned image without findings."""
    told: dict[str, Any] = {
        "repository": repository,
        "digest": digest,
        "state": risk_pb2.IMAGE_RISK_STATE_SCANNED,
        "counts": severity_pb2.SeverityCounts(),
        "feed_set_id": "Debian:12",
    }
    return risk_pb2.RiskRecord(image_risk=risk_pb2.ImageRisk(**told | members))
