"""Revisions and activations, as answers."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.policy.v1 import revision_pb2 as pb

from policy.records import Activation, ActiveDocument, Revision
from policy.wire.policies import encode_policy


def encode_revision(revision: Revision) -> pb.Revision:
    """A revision without its policy."""
    return pb.Revision(
        cluster=revision.cluster,
        revision=revision.number,
        author=revision.author,
        create_time=encode_time(revision.time),
        comment=revision.comment,
        sha256=revision.sha256,
    )


def encode_activation(activation: Activation) -> pb.ActivePolicy:
    """What is in force."""
    return pb.ActivePolicy(
        cluster=activation.cluster,
        revision=activation.revision,
        activated_by=activation.author,
        activate_time=encode_time(activation.time),
        previous_revision=activation.previous_revision,
    )


def encode_active(active: ActiveDocument) -> pb.PolicyRecord:
    """What is in force, for a reader that enforces it."""
    return pb.PolicyRecord(cluster=active.cluster, revision=active.revision, policy=encode_policy(active.document))


def encode_time(time: datetime) -> Timestamp:
    """A point in time."""
    message = Timestamp()
    message.FromDatetime(time)
    return message
