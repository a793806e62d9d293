"""What requests have in common: names, numbers, times and cursors, each refused with its field."""

from datetime import UTC, datetime
from typing import Final

from chassis.paging import InvalidPageToken, Page
from google.protobuf.timestamp_pb2 import Timestamp

from policy.documents.problems import CLUSTER
from policy.errors import MalformedRequest

LAST_NUMBER: Final = 2**63 - 1
"""The largest number that a database holds; above the number of any row."""


def cluster(name: str, field: str = "cluster") -> str:
    """The name of a cluster. Raises MalformedRequest."""
    if not CLUSTER.fullmatch(name):
        raise MalformedRequest("A cluster's name has 1 to 63 letters, digits, dots, underscores, hyphens.", field=field)
    return name


def number(value: int, field: str) -> int:
    """The number of a revision, 0 included. Raises MalformedRequest."""
    if value > LAST_NUMBER:
        raise MalformedRequest("No revision has so large a number.", field=field)
    return value


def text(value: str, field: str, longest: int) -> str:
    """A text of at most so many characters. Raises MalformedRequest."""
    if len(value) > longest:
        raise MalformedRequest(f"This text has {len(value)} characters; at most {longest} may be.", field=field)
    return value


def moment(value: Timestamp, field: str) -> datetime:
    """A point in time. Raises MalformedRequest for one that no calendar holds."""
    try:
        return value.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedRequest("This time is beyond any calendar.", field=field) from error


def before(page: Page) -> int:
    """The number below which a page begins. Raises InvalidPageToken."""
    if not page.cursor:
        return LAST_NUMBER
    try:
        reached = int(page.cursor)
    except ValueError:
        reached = -1
    if not 0 < reached <= LAST_NUMBER:
        raise InvalidPageToken("This page token is none of ours.", field="page_token")
    return reached
