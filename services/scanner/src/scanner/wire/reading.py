"""Decodes what requests have in common. Bad input is refused by the name of its field."""

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

from chassis.errors import InvalidArgument, Refusal
from google.protobuf.descriptor import EnumDescriptor
from hallmark.common.v1 import severity_pb2
from registry.digests import parse_digest
from registry.references import parse_reference

from scanner.advisories.osv import is_id
from scanner.severity import Severity

_LONGEST_PACKAGE = 512

E = TypeVar("E", bound=Enum)


def repository(text: str, field: str = "repository") -> str:
    """Decode `host/repository`."""
    try:
        reference = parse_reference(text)
    except Refusal as refusal:
        raise InvalidArgument(refusal.message, field=field) from None
    if reference.name != text:
        raise InvalidArgument(f"{text!r} is no host/repository in its full form ({reference.name}).", field=field)
    return text


def digest(text: str, field: str = "digest") -> str:
    """Decode a digest."""
    try:
        return parse_digest(text)
    except Refusal as refusal:
        raise InvalidArgument(refusal.message, field=field) from None


def vulnerability_id(text: str) -> str:
    """Decode the id of a vulnerability or advisory."""
    if not is_id(text):
        raise InvalidArgument("An id has 1 to 128 visible ASCII characters.", field="vulnerability_id")
    return text


def package(text: str) -> str:
    """Decode the name of a package; empty where none is asked for."""
    if len(text) > _LONGEST_PACKAGE or not (text.isprintable() or not text):
        raise InvalidArgument(f"A package's name has at most {_LONGEST_PACKAGE} printable characters.", field="package")
    return text


def severities(values: Iterable[int], field: str = "severities") -> frozenset[Severity]:
    """Decode severities."""
    return frozenset(Severity[enum(severity_pb2.Severity.DESCRIPTOR, "SEVERITY_", value, field)] for value in values)


def enum(descriptor: EnumDescriptor, prefix: str, value: int, field: str) -> str:
    """Decode an enum's value into its bare word; zero and what is not known are refused."""
    known = descriptor.values_by_number.get(value)
    if known is None or value == 0:
        raise InvalidArgument(f"{value} is no value that is accepted here.", field=field)
    return str(known.name).removeprefix(prefix)
