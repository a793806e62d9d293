"""Moments as protobuf timestamps."""

from datetime import UTC, datetime

from chassis.errors import InvalidArgument
from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(time: datetime | None) -> Timestamp | None:
    """Encode a moment; None stays absent."""
    if time is None:
        return None
    encoded = Timestamp()
    encoded.FromDatetime(time)
    return encoded


def moment(encoded: Timestamp, field: str) -> datetime:
    """Decode a moment. Raises InvalidArgument."""
    try:
        return encoded.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument("The time lies outside of the years 1 to 9999.", field=field) from None
