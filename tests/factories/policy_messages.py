"""Policies as clients send them, by what a test is about; everything else has a plain value."""

from datetime import datetime, timedelta
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.policy.v1 import decision_pb2 as decisions
from hallmark.policy.v1 import policy_pb2 as pb

CLUSTER = "prod-eu"
_IDS = count(1)


def pem(key: PublicKeyTypes | None = None) -> str:
    """A public key in PEM; a new one on P-256 where none is given."""
    public = key or ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def named_key(name: str, version: int = 0) -> pb.AuthorityKey:
    """A key of the signer."""
    return pb.AuthorityKey(signer_key=pb.SignerKey(name=name, version=version))


def pem_key(text: str | None = None) -> pb.AuthorityKey:
    """A key in PEM."""
    return pb.AuthorityKey(public_key_pem=pem() if text is None else text)


def authority(name: str, *keys: pb.AuthorityKey) -> pb.Authority:
    """An authority; its key is the signer's of the same name where none is given."""
    return pb.Authority(name=name, keys=keys or (named_key(name),))


def members(*of: str | pb.Threshold) -> list[pb.ThresholdMember]:
    """Members of a threshold: authorities by name, thresholds as they are."""
    return [
        pb.ThresholdMember(authority=one) if isinstance(one, str) else pb.ThresholdMember(threshold=one) for one in of
    ]


def threshold(at_least: int, *of: str | pb.Threshold) -> pb.Threshold:
    """A nested threshold."""
    return pb.Threshold(at_least=at_least, of=members(*of))


def signed(*of: str | pb.Threshold, at_least: int = 1, max_age: timedelta | None = None) -> pb.SignatureRequirement:
    """A demand for signatures; by `security` where nobody is named."""
    return pb.SignatureRequirement(at_least=at_least, of=members(*(of or ("security",))), max_age=age(max_age))


def age(value: timedelta | None) -> Duration | None:
    """A Duration."""
    if value is None:
        return None
    message = Duration()
    message.FromTimedelta(value)
    return message


def rule(name: str = "payments", **changes: object) -> pb.Rule:
    """A rule that demands one signature unless told otherwise."""
    given = {"require": pb.Requirement(signatures=signed())} if not {"verdict", "require"} & changes.keys() else {}
    return pb.Rule(name=name, **given | changes)  # type: ignore[arg-type]  # the test names fields of Rule


def policy(*rules: pb.Rule, **changes: object) -> pb.Policy:
    """A policy that denies by default, with the authorities `security` and `build`."""
    given: dict[str, object] = {
        "cluster": CLUSTER,
        "authorities": [authority("security"), authority("build")],
        "default_verdict": pb.FIXED_VERDICT_DENY,
        "rules": rules,
    }
    return pb.Policy(**given | changes)  # type: ignore[arg-type]  # the test names fields of Policy


def moment(time: datetime) -> Timestamp:
    """A Timestamp."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def decision(at: datetime, **changes: object) -> decisions.Decision:
    """A denial of an unsigned image, with an id of its own."""
    given: dict[str, object] = {
        "decision_id": f"decision-{next(_IDS)}",
        "time": moment(at),
        "cluster": CLUSTER,
        "namespace": "pay-eu",
        "object_kind": "Pod",
        "requester": "jane",
        "image": "reg.example.com/pay/api:1",
        "found_at": "spec.containers[0].image",
        "digest": "sha256:" + "a" * 64,
        "outcome": decisions.DECISION_OUTCOME_DENY,
        "effect": decisions.DECISION_EFFECT_REJECT,
        "rule": "payments",
        "policy_revision": 3,
        "reasons": ["NO_SIGNATURE"],
        "message": "Image 'reg.example.com/pay/api:1' is denied by rule 'payments'.",
        "correlation_id": "c0ffee",
    }
    return decisions.Decision(**given | changes)  # type: ignore[arg-type]  # the test names fields of Decision
