"""Refusals as google.rpc.Status: ErrorInfo always, BadRequest for a field, RetryInfo where waiting helps.

A status travels in HTTP/2 headers, which peers bound at 8 KiB: its sentence percent-encoded, and the whole of it, the
sentence again, in base64. What is longer is shortened, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import Kind, Refusal, Violation

_ROOM: Final = 7200  # bytes of the 8 KiB, the rest is for what else travels there
_MESSAGE: Final = 1800
_VALUE: Final = 600
_FIELD: Final = 200
_OVERHEAD: Final = 16  # bytes by which protobuf frames one entry, at most
_LAST: Final = 160  # bytes for the entry that says what was left out
_SHORTENED: Final = "... (shortened)"


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
    message = _shortened(error.message, _MESSAGE)
    room = _ROOM - _encoded(message) - _carried(message)
    metadata, room = _metadata(error.metadata, room)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=f"hallmark.{area}", metadata=metadata)
    ]
    if error.kind is Kind.INVALID_ARGUMENT and error.violations:
        details.append(_bad_request(error.violations, room))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return Status(error.kind.value, _status(grpc.StatusCode[error.kind.value], message, details))


def _metadata(facts: Mapping[str, str], room: int) -> tuple[dict[str, str], int]:
    """Those facts that find room, and the room that is left."""
    kept: dict[str, str] = {}
    for name, value in facts.items():
        short = _shortened(value, _VALUE)
        cost = _carried(name + short)
        if cost + _LAST > room:
            kept["shortened"] = f"{len(facts) - len(kept)} more facts found no room"
            return kept, 0
        kept[name], room = short, room - cost
    return kept, room


def _bad_request(violations: Sequence[Violation], room: int) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        field, description = _shortened(violation.field, _FIELD), _shortened(violation.description, _VALUE)
        room -= _carried(field + description)
        if room < _LAST:
            request.field_violations.add(field=field, description=f"... and {len(violations) - number} more")
            break
        request.field_violations.add(field=field, description=description)
    return request


def _shortened(text: str, most: int) -> str:
    if _encoded(text) <= most:
        return text
    room, end = most - len(_SHORTENED), 0
    for letter in text:
        room -= _encoded(letter)
        if room < 0:
            break
        end += 1
    return text[:end] + _SHORTENED


def _encoded(text: str) -> int:
    """The bytes of a text in the header `grpc-message`: what is not printable ASCII takes three."""
    return sum(1 if " " <= letter <= "~" and letter != "%" else 3 * _bytes(letter) for letter in text)


def _carried(text: str) -> int:
    """The bytes of a text in the header `grpc-status-details-bin`."""
    return (_bytes(text) + _OVERHEAD) * 4 // 3


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))


def _status(code: grpc.StatusCode, message: str, details: list[Message]) -> status_pb2.Status:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)
