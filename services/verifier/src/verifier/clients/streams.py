"""What the readers of the neighbours' streams have in common."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


class UnknownRecord(Exception):
    """A neighbour sent what this verifier does not know; reading past it could allow what was meant to be refused."""


def time_of(message: Message, field: str) -> datetime | None:
    """A message's Timestamp field; None where it is absent. Raises UnknownRecord for one out of range."""
    if not message.HasField(field):
        return None
    value = getattr(message, field)
    if not isinstance(value, Timestamp):
        raise TypeError(f"{field} is no Timestamp")
    try:
        return value.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise UnknownRecord(f"The time in {field} is out of range.") from error
