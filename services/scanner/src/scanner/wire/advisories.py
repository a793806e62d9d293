"""Decodes imports of advisories, and encodes what became of them."""

import re
from datetime import timedelta

from chassis.errors import InvalidArgument
from google.protobuf.duration_pb2 import Duration
from hallmark.scanner.v1 import advisory_pb2

from scanner.learning import ImportHeader, ImportResult
from scanner.risk.freshness import Feed
from scanner.wire.times import moment, timestamp

_MOST_ECOSYSTEMS = 50
_ECOSYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,63}", re.ASCII)


def import_header(header: advisory_pb2.ImportHeader) -> ImportHeader:
    """Decode what an import holds."""
    ecosystems = tuple(header.ecosystems)
    if len(ecosystems) > _MOST_ECOSYSTEMS or len(set(ecosystems)) < len(ecosystems):
        raise InvalidArgument(f"Name each ecosystem once, at most {_MOST_ECOSYSTEMS}.", field="header.ecosystems")
    for ecosystem in ecosystems:
        if not _ECOSYSTEM.fullmatch(ecosystem):
            raise InvalidArgument(
                f"{ecosystem[:64]!r} is no ecosystem's name without a release, as OSV writes it.",
                field="header.ecosystems",
            )
    return ImportHeader(
        ecosystems=ecosystems,
        as_of=moment(header.as_of, "header.as_of") if header.HasField("as_of") else None,
        complete=header.complete,
        accept_shrink=header.accept_shrink,
    )


def import_result(result: ImportResult) -> advisory_pb2.ImportResult:
    """Encode what an import did."""
    return advisory_pb2.ImportResult(
        import_id=result.import_id,
        ecosystems=result.ecosystems,
        as_of=timestamp(result.as_of),
        added=result.added,
        updated=result.updated,
        unchanged=result.unchanged,
        older=result.older,
        removed=result.removed,
        withdrawn=result.withdrawn,
        skipped=result.skipped,
        skipped_records=[
            advisory_pb2.SkippedRecord(name=record.name, problem=record.problem) for record in result.skipped_records
        ],
        unknown_ecosystems=result.unknown_ecosystems,
        findings_opened=result.found.opened,
        findings_updated=result.found.updated,
        findings_closed=result.found.closed,
        images_changed=result.images_changed,
    )


def feed(value: Feed, max_age: timedelta, too_old: bool) -> advisory_pb2.Feed:
    """Encode a feed."""
    allowed = Duration()
    allowed.FromTimedelta(max_age)
    return advisory_pb2.Feed(
        ecosystem=value.ecosystem,
        as_of=timestamp(value.as_of),
        last_imported=timestamp(value.last_imported),
        max_age=allowed,
        too_old=too_old,
        advisories=value.advisories,
        releases=[release for release in value.releases if ":" in release],
    )
