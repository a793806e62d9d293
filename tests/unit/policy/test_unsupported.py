"""What the service does not know is refused as unsupported, wherever it stands; never stored without it."""

from collections.abc import Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from hallmark.policy.v1 import policy_pb2 as pb
from policy.errors import PolicyUnsupported
from policy.wire.policies import decode_policy

from tests.factories.policy_messages import authority, policy, rule, signed, threshold

FIELD_400 = b"\x80\x19\x01"
"""The field number 400 as a varint 1, which no message here has."""


def full() -> pb.Policy:
    """A policy with every kind of message in it."""
    return policy(
        rule(
            match=pb.Match(images=["**"]),
            mode=pb.RULE_MODE_WARN,
            require=pb.Requirement(
                signatures=signed("security", threshold(1, "build")),
                identity=pb.IdentityRequirement(remap=pb.Remap(from_prefix="a.example.com", to_prefix="docker.io")),
                scan=pb.ScanRequirement(max_age=Duration(seconds=60)),
            ),
        )
    )


PLACES: dict[str, Callable[[pb.Policy], Message]] = {
    "policy": lambda message: message,
    "policy.authorities[1]": lambda message: message.authorities[1],
    "policy.authorities[0].keys[0]": lambda message: message.authorities[0].keys[0],
    "policy.authorities[0].keys[0].signer_key": lambda message: message.authorities[0].keys[0].signer_key,
    "policy.rules[0]": lambda message: message.rules[0],
    "policy.rules[0].match": lambda message: message.rules[0].match,
    "policy.rules[0].require": lambda message: message.rules[0].require,
    "policy.rules[0].require.signatures": lambda message: message.rules[0].require.signatures,
    "policy.rules[0].require.signatures.of[1].threshold": (
        lambda message: message.rules[0].require.signatures.of[1].threshold
    ),
    "policy.rules[0].require.identity.remap": lambda message: message.rules[0].require.identity.remap,
    "policy.rules[0].require.scan": lambda message: message.rules[0].require.scan,
    "policy.rules[0].require.scan.max_age": lambda message: message.rules[0].require.scan.max_age,
}


def unsupported(message: pb.Policy) -> list[str]:
    """The fields that are not known, as the message arrives over the wire."""
    with pytest.raises(PolicyUnsupported) as refused:
        decode_policy(pb.Policy.FromString(message.SerializeToString()))
    assert refused.value.reason == "POLICY_UNSUPPORTED"
    return [violation.field for violation in refused.value.violations]


def test_a_policy_with_every_kind_of_message_is_known() -> None:
    message = pb.Policy.FromString(full().SerializeToString())
    decoded, document = decode_policy(message)
    assert decoded.cluster == message.cluster
    assert pb.Policy.FromString(document) == message


@pytest.mark.parametrize("place", PLACES)
def test_a_field_that_is_not_known_is_found(place: str) -> None:
    message = full()
    PLACES[place](message).MergeFromString(FIELD_400)
    assert unsupported(message) == [place]


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("policy.default_verdict", b"\x18\x63"),
        ("policy.rules[0].verdict", pb.Policy(rules=[pb.Rule(verdict=99)]).SerializeToString()),  # type: ignore[arg-type]
        ("policy.rules[0].mode", pb.Policy(rules=[pb.Rule(mode=99)]).SerializeToString()),  # type: ignore[arg-type]
        (
            "policy.rules[0].verdict",
            pb.Policy(rules=[pb.Rule(verdict=pb.FIXED_VERDICT_UNSPECIFIED)]).SerializeToString(),
        ),
        ("policy.rules[0].mode", pb.Policy(rules=[pb.Rule(mode=pb.RULE_MODE_UNSPECIFIED)]).SerializeToString()),
    ],
    ids=["default", "verdict", "mode", "verdict set to unspecified", "mode set to unspecified"],
)
def test_an_enum_value_that_is_not_known_is_found(field: str, changed: bytes) -> None:
    assert unsupported(pb.Policy.FromString(changed)) == [field]


def test_a_key_of_a_newer_kind_is_found() -> None:
    message = policy(authorities=[authority("a")])
    message.authorities[0].keys.add().MergeFromString(FIELD_400)
    assert unsupported(message) == ["policy.authorities[0].keys[1]"]
