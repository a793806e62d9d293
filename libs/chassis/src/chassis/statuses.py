"""Refusals as google.rpc.Status: ErrorInfo always, BadRequest for a field, RetryInfo where waiting helps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import Kind, Refusal, Violation

_LONGEST: Final = 4096  # statuses travel in HTTP/2 headers, which peers bound at 8 KiB


@dataclass(frozen=True, slots=True)
class Status:
    """A status: the name of its code, and the message that travels."""

    name: str
    message: status_pb2.Status


def status_of(error: Exception, area: str, reference: str) -> Status:
    """The status of a refusal; of anything else INTERNAL, which tells nothing but a reference to the log."""
    if not isinstance(error, Refusal):
        text = f"Something went wrong inside; the service's log tells more under the reference {reference}."
        return Status("INTERNAL", _status(grpc.StatusCode.INTERNAL, text, []))
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=f"hallmark.{area}", metadata=error.metadata)
    ]
    if error.kind is Kind.INVALID_ARGUMENT and error.violations:
        details.append(_bad_request(error.violations))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return Status(error.kind.value, _status(grpc.StatusCode[error.kind.value], error.message, details))


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    request, left = error_details_pb2.BadRequest(), _LONGEST
    for violation in violations:
        left -= len(violation.field) + len(violation.description)
        if left < 0 and request.field_violations:
            break
        request.field_violations.add(field=violation.field, description=violation.description[:_LONGEST])
    return request


def _status(code: grpc.StatusCode, message: str, details: list[Message]) -> status_pb2.Status:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code.value[0], message=message[:_LONGEST], details=packed)
