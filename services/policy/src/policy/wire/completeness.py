"""Whether this service knows everything that a policy message says: what it does not know it must not store."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from chassis.errors import Violation
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from policy.errors import PolicyUnsupported

_MOST: Final = 20


def demand_known(message: Message, path: str) -> None:
    """Raises PolicyUnsupported for fields and enum values that are not known, or are set to UNSPECIFIED."""
    found = list(islice(_unknown(message, path), _MOST))
    if found:
        raise PolicyUnsupported(
            f"The policy says what this service does not know; nothing was stored. {found[0].field}:"
            f" {found[0].description}",
            violations=found,
        )


def _unknown(message: Message, path: str) -> Iterator[Violation]:
    unknown = UnknownFieldSet(message)
    for index in range(len(unknown)):
        yield Violation(path, f"The field number {unknown[index].field_number} is not known.")
    for field, value in message.ListFields():
        for at, item in _items(field, value, f"{path}.{field.name}"):
            if isinstance(item, Message):
                yield from _unknown(item, at)
            elif field.enum_type is not None and not _is_known(field, item):
                yield Violation(at, f"The value {item} of {field.enum_type.name} is not known.")


def _is_known(field: FieldDescriptor, value: object) -> bool:
    return bool(value) and field.enum_type is not None and value in field.enum_type.values_by_number


def _items(field: FieldDescriptor, value: object, path: str) -> Iterable[tuple[str, object]]:
    if field.is_repeated and isinstance(value, Iterable):
        return ((f"{path}[{number}]", item) for number, item in enumerate(value))
    return ((path, value),)
