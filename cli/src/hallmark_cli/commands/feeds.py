"""feeds: the advisories that images are compared with."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.scanner.v1 import advisory_service_pb2 as pb
from hallmark.scanner.v1.advisory_pb2 import Feed, ImportHeader, ImportResult
from hallmark.scanner.v1.advisory_service_pb2_grpc import AdvisoryServiceStub

from hallmark_cli import archives, output
from hallmark_cli.connection import Connection
from hallmark_cli.durations import spoken
from hallmark_cli.listing import collect
from hallmark_cli.messages import moment
from hallmark_cli.options import Moment, limited, output_form, speaks_as
from hallmark_cli.progress import Gauge, gauge


@click.group()
def feeds() -> None:
    """Advisories in OSV's format, by ecosystem."""


@feeds.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--ecosystem", "ecosystems", multiple=True, help="A feed that it brings up to date.")
@click.option("--as-of", type=Moment(), help="The time of its source, or `now`.  [default: the newest record's]")
@click.option("--complete", is_flag=True, help="It is the whole of these feeds: what is absent in it goes.")
@click.option("--accept-shrink", is_flag=True, help="Let a complete import remove nine tenths of a feed.")
@output_form
@speaks_as("operator")
def import_(
    connection: Connection,
    source: Path,
    ecosystems: tuple[str, ...],
    as_of: Timestamp | None,
    complete: bool,
    accept_shrink: bool,
    form: str,
) -> None:
    """Import a zip of OSV records, or the .json files below a directory. Scanned images are matched again at once."""
    header = ImportHeader(ecosystems=ecosystems, as_of=as_of, complete=complete, accept_shrink=accept_shrink)
    with archives.opened(source) as archive, connection.to("scanner") as channel, gauge() as progress:
        requests = _requests(header, archive, archives.size(archive), progress)
        result = AdvisoryServiceStub(channel).ImportAdvisories(requests).result
    if form == "json":
        output.document(result)
    else:
        _show(result)


@feeds.command("list")
@limited
@output_form
@speaks_as("auditor")
def list_(connection: Connection, limit: int, form: str) -> None:
    """List the feeds, and how fresh they are."""
    with connection.to("scanner") as channel:
        stub = AdvisoryServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[Feed], str]:
            answer = stub.ListFeeds(pb.ListFeedsRequest(page_size=size, page_token=token))
            return list(answer.feeds), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
    else:
        output.table(("ECOSYSTEM", "ADVISORIES", "AS OF", "MAX AGE", "STATE", "RELEASES"), map(_row, found))


def _requests(
    header: ImportHeader, archive: IO[bytes], total: int, progress: Gauge
) -> Iterator[pb.ImportAdvisoriesRequest]:
    yield pb.ImportAdvisoriesRequest(header=header)
    done = 0
    for chunk in archives.chunks(archive):
        yield pb.ImportAdvisoriesRequest(chunk=chunk)
        done += len(chunk)
        progress.show("sending", done, total)
    progress.show("importing and matching", total, total)


def _row(feed: Feed) -> tuple[str, ...]:
    state = "too old" if feed.too_old else "fresh"
    releases = ", ".join(feed.releases)
    return feed.ecosystem, str(feed.advisories), moment(feed.as_of), spoken(feed.max_age), state, releases


def _show(result: ImportResult) -> None:
    output.fields(
        [
            ("feeds", ", ".join(result.ecosystems)),
            ("as of", moment(result.as_of)),
            ("records", _counts(result, "added", "updated", "unchanged", "older", "removed", "withdrawn", "skipped")),
            ("findings", _counts(result, "findings_opened", "findings_updated", "findings_closed")),
            ("images changed", str(result.images_changed)),
        ]
    )
    for skipped in result.skipped_records:
        output.note(f"skipped {skipped.name}: {skipped.problem}")
    for ecosystem, records in sorted(result.unknown_ecosystems.items()):
        output.note(f"{records} records of {ecosystem} are kept, but not compared: its versions are not known here.")


def _counts(result: ImportResult, *names: str) -> str:
    counts = [(name.removeprefix("findings_"), getattr(result, name)) for name in names]
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "none"
