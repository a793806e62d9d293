"""Typed refusals: one class for each thing that a caller must tell apart.

A refusal carries a kind, which the server turns into a gRPC status, a reason code, which is the class name in upper
snake case, and a sentence for a person. Anything that is not a Refusal is a defect and reaches the caller as INTERNAL
without detail.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What a refusal means to a caller; the values are the names of gRPC status codes."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one field of a request (dotted path), in a sentence."""

    field: str
    description: str


class Refusal(Exception):
    """The base of every refusal.

    `field` names the request's field that is at fault (dotted path), or `violations` each of several, `metadata` holds
    further facts for machines, `retry_after` is in seconds.
    """

    kind: ClassVar[Kind] = Kind.FAILED_PRECONDITION

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.violations = tuple(violations) or ((Violation(field, message),) if field else ())
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after

    @property
    def reason(self) -> str:
        """The reason code: the class name in upper snake case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).upper()


class InvalidArgument(Refusal):
    """The request is malformed, whatever the state of the service."""

    kind = Kind.INVALID_ARGUMENT


class NotFound(Refusal):
    """What the request names does not exist."""

    kind = Kind.NOT_FOUND


class AlreadyExists(Refusal):
    """What the request would create exists, or its request_id was used with another body."""

    kind = Kind.ALREADY_EXISTS


class FailedPrecondition(Refusal):
    """The request is well-formed, but the state of the service does not allow it."""

    kind = Kind.FAILED_PRECONDITION


class Aborted(Refusal):
    """Somebody else changed it at the same time; the caller may read it again and retry."""

    kind = Kind.ABORTED


class PermissionDenied(Refusal):
    """The caller is known, but may not do this."""

    kind = Kind.PERMISSION_DENIED


class Unauthenticated(Refusal):
    """The caller's identity is none that this service accepts."""

    kind = Kind.UNAUTHENTICATED


class ResourceExhausted(Refusal):
    """A bound was reached; the message names it."""

    kind = Kind.RESOURCE_EXHAUSTED


class DeadlineExceeded(Refusal):
    """The time given to the request did not suffice."""

    kind = Kind.DEADLINE_EXCEEDED


class Unavailable(Refusal):
    """Could not tell: something that is needed does not answer. Retrying later may help."""

    kind = Kind.UNAVAILABLE
