"""API messages as plain values, in the form that `-o json` promises.

Names of fields are those of the protos. Enum values are their bare words, null where unspecified; moments are RFC 3339
in UTC; durations are seconds as `90s`; bytes are hex; whole numbers are numbers; an absent message or field is null.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Plain = None | bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"]


def plain(message: Message) -> dict[str, Plain]:
    """The message with every field, by name."""
    # The runtime's descriptors are of another class than the documented one, which they stand for.
    described = cast(list[FieldDescriptor], message.DESCRIPTOR.fields)
    return {field.name: _field(message, field) for field in described}


def word(enum: EnumDescriptor, number: int) -> str | None:
    """The bare word of an enum value: `HIGH` of SEVERITY_HIGH. None where unspecified; the number of an unknown one."""
    if number == 0:
        return None
    value = enum.values_by_number.get(number)
    return str(number) if value is None else value.name.removeprefix(_prefix(enum))


def words(enum: EnumDescriptor) -> list[str]:
    """Every bare word of an enum, in its order, unspecified left out."""
    return [value.name.removeprefix(_prefix(enum)) for value in enum.values if value.number != 0]


def number(enum: EnumDescriptor, bare: str) -> int:
    """The enum value of a bare word. Raises KeyError for another."""
    found: int = enum.values_by_name[_prefix(enum) + bare].number
    return found


def moment(timestamp: Timestamp) -> str:
    """A moment in RFC 3339, in UTC, to the second."""
    return timestamp.ToDatetime().isoformat(timespec="seconds") + "Z"


def _prefix(enum: EnumDescriptor) -> str:
    return enum.values[0].name.removesuffix("UNSPECIFIED")


def _field(message: Message, field: FieldDescriptor) -> Plain:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = _encoder(field.message_type.fields_by_name["value"])
        return {str(key): inner(value[key]) for key in sorted(value)}
    if field.is_repeated:
        return [_encoder(field)(item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _encoder(field)(value)


def _encoder(field: FieldDescriptor) -> Callable[[Any], Plain]:
    if field.message_type is not None:
        return WELL_KNOWN.get(field.message_type.full_name, plain)
    if field.enum_type is not None:
        enum = field.enum_type
        return lambda value: word(enum, value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.hex
    return _same


def _same(value: Plain) -> Plain:
    return value


def _duration(value: Duration) -> str:
    return f"{value.seconds + value.nanos / 1e9:g}s"


WELL_KNOWN: Mapping[str, Callable[[Any], Plain]] = {
    Timestamp.DESCRIPTOR.full_name: moment,
    Duration.DESCRIPTOR.full_name: _duration,
}
