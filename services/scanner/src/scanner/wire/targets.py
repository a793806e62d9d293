"""Decodes orders about targets, and encodes the answers."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.errors import InvalidArgument, Refusal
from google.protobuf.field_mask_pb2 import FieldMask
from hallmark.scanner.v1 import target_pb2 as pb
from registry.patterns import compile_pattern
from registry.references import parse_reference

from scanner.target_records import Search, Target, TargetCounts
from scanner.wire.times import timestamp

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PLATFORM = re.compile(r"[A-Za-z0-9._-]{1,64}(?:/[A-Za-z0-9._-]{1,64}){1,2}", re.ASCII)
_MOST_PATTERNS = 100
_MOST_PLATFORMS = 32
_CHANGEABLE = {"include", "exclude", "platforms", "newest", "enabled"}
_SOME_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def name(text: str, field: str = "name") -> str:
    """Decode the name of a target."""
    if not _NAME.fullmatch(text):
        rule = "A target's name is 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit."
        raise InvalidArgument(rule, field=field)
    return text


def new(target: pb.Target) -> Target:
    """Decode a target to be created."""
    return _decoded(target, _registry(target.registry))


def changed(target: pb.Target) -> Target:
    """Decode a target with new values; its registry is not read."""
    return _decoded(target, "")


def fields(mask: FieldMask) -> frozenset[str]:
    """Decode which fields of a target are to be changed."""
    unknown = set(mask.paths) - _CHANGEABLE
    if unknown or not mask.paths:
        allowed = ", ".join(sorted(_CHANGEABLE))
        raise InvalidArgument(f"Name the fields to change, of {allowed}.", field="update_mask")
    return frozenset(mask.paths)


def _decoded(target: pb.Target, registry: str) -> Target:
    return Target(
        name=name(target.name, "target.name"),
        registry=registry,
        include=_patterns(target.include, "target.include"),
        exclude=_patterns(target.exclude, "target.exclude"),
        platforms=_platforms(target.platforms),
        newest=target.newest,
        enabled=target.enabled,
        created=_SOME_TIME,
    )


def _registry(host: str) -> str:
    try:
        reference = parse_reference(f"{host}/repository")
    except Refusal as refusal:
        raise InvalidArgument(refusal.message, field="target.registry") from None
    if reference.host != host:
        raise InvalidArgument(f"{host[:100]!r} is no registry's host.", field="target.registry")
    return host


def _patterns(texts: Sequence[str], field: str) -> tuple[str, ...]:
    if len(texts) > _MOST_PATTERNS:
        raise InvalidArgument(f"There may be {_MOST_PATTERNS} patterns at most.", field=field)
    for text in texts:
        try:
            compile_pattern(f"registry.example/{text}")
        except Refusal as refusal:
            raise InvalidArgument(refusal.message, field=field) from None
    return tuple(texts)


def _platforms(texts: Sequence[str]) -> tuple[str, ...]:
    if len(texts) > _MOST_PLATFORMS or not all(map(_PLATFORM.fullmatch, texts)):
        rule = f"Name at most {_MOST_PLATFORMS} platforms, each as os/architecture or os/architecture/variant."
        raise InvalidArgument(rule, field="target.platforms")
    return tuple(texts)


def target(value: Target) -> pb.Target:
    """Encode a target."""
    return pb.Target(
        name=value.name,
        registry=value.registry,
        include=value.include,
        exclude=value.exclude,
        platforms=value.platforms,
        newest=value.newest,
        enabled=value.enabled,
        created=timestamp(value.created),
    )


def progress(search: Search, counts: TargetCounts) -> pb.TargetProgress:
    """Encode how far a target is."""
    return pb.TargetProgress(
        searching=search.running,
        trouble=search.trouble,
        scanned=counts.scanned,
        left=counts.left,
        failed=counts.failed,
    )
