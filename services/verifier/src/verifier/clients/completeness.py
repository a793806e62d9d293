"""Whether a message holds anything that this verifier's protos do not name."""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet


def unknown_parts(message: Message) -> Iterator[str]:
    """A name for each field and enum value in it that is not known, however deep."""
    unknown = UnknownFieldSet(message)
    for index in range(len(unknown)):
        yield f"field {unknown[index].field_number} of {message.DESCRIPTOR.name}"
    for field, value in message.ListFields():
        kind = _kind(field)
        for item in _items(field, value):
            if isinstance(item, Message):
                yield from unknown_parts(item)
            elif kind.enum_type is not None and item not in kind.enum_type.values_by_number:
                yield f"value {item} of {message.DESCRIPTOR.name}.{field.name}"


def _kind(field: FieldDescriptor) -> FieldDescriptor:
    """The field itself, or for a map the field of its values."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else field


def _items(field: FieldDescriptor, value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    if field.is_repeated and isinstance(value, Iterable):
        return value
    return (value,)
