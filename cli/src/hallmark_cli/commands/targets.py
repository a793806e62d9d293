"""targets: the repositories that are kept scanned."""

import uuid

import click
from google.protobuf.field_mask_pb2 import FieldMask
from hallmark.scanner.v1 import target_service_pb2 as pb
from hallmark.scanner.v1.target_pb2 import Target, TargetProgress
from hallmark.scanner.v1.target_service_pb2_grpc import TargetServiceStub

from hallmark_cli import output
from hallmark_cli.connection import Connection
from hallmark_cli.failures import Misused
from hallmark_cli.listing import collect
from hallmark_cli.messages import plain
from hallmark_cli.options import Command, limited, output_form, speaks_as


@click.group()
def targets() -> None:
    """Repositories that are kept scanned."""


def _repositories(command: Command) -> Command:
    options = [
        click.option("--include", multiple=True, help="Repositories that belong to it, `*` and `**` allowed."),
        click.option("--exclude", multiple=True, help="Repositories that do not, even where included."),
        click.option("--platform", "platforms", multiple=True, help="Scan this platform alone, os/architecture."),
        click.option("--newest", type=click.IntRange(0), help="Of images there already, scan the newest N; 0: all."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@targets.command()
@click.argument("name")
@click.option("--registry", required=True, help="The registry's host, as configured.")
@_repositories
@output_form
@speaks_as("operator")
def create(
    connection: Connection,
    name: str,
    registry: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    platforms: tuple[str, ...],
    newest: int | None,
    form: str,
) -> None:
    """Create a target, and show the token that its registry sends with push events: this once."""
    target = Target(
        name=name, registry=registry, include=include, exclude=exclude, platforms=platforms, newest=newest or 0
    )
    with connection.to("scanner") as channel:
        request = pb.CreateTargetRequest(target=target, request_id=str(uuid.uuid4()))
        answer = TargetServiceStub(channel).CreateTarget(request)
    if form == "json":
        output.document(plain(answer))
    else:
        _show(answer.target)
        _show_token(name, answer.token)


@targets.command("rotate-token")
@click.argument("name")
@output_form
@speaks_as("operator")
def rotate_token(connection: Connection, name: str, form: str) -> None:
    """Replace a target's token; the one before counts no more."""
    with connection.to("scanner") as channel:
        request = pb.RotateTargetTokenRequest(name=name, request_id=str(uuid.uuid4()))
        answer = TargetServiceStub(channel).RotateTargetToken(request)
    if form == "json":
        output.document(plain(answer))
    else:
        _show_token(name, answer.token)


@targets.command("list")
@limited
@output_form
@speaks_as("auditor")
def list_(connection: Connection, limit: int, form: str) -> None:
    """List the targets."""
    with connection.to("scanner") as channel:
        stub = TargetServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[Target], str]:
            answer = stub.ListTargets(pb.ListTargetsRequest(page_size=size, page_token=token))
            return list(answer.targets), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
    else:
        rows = [(one.name, one.registry, _included(one), _state(one)) for one in found]
        output.table(("NAME", "REGISTRY", "REPOSITORIES", "STATE"), rows)


@targets.command()
@click.argument("name")
@output_form
@speaks_as("auditor")
def show(connection: Connection, name: str, form: str) -> None:
    """Show a target, and how far it is."""
    with connection.to("scanner") as channel:
        answer = TargetServiceStub(channel).GetTarget(pb.GetTargetRequest(name=name))
    if form == "json":
        output.document(plain(answer))
    else:
        _show(answer.target, answer.progress)


@targets.command()
@click.argument("name")
@_repositories
@click.option("--enable/--disable", "enabled", default=None, help="Whether it scans.")
@output_form
@speaks_as("operator")
def update(
    connection: Connection,
    name: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    platforms: tuple[str, ...],
    newest: int | None,
    enabled: bool | None,
    form: str,
) -> None:
    """Change a target: each option given replaces what was there."""
    given = {"include": include, "exclude": exclude, "platforms": platforms, "newest": newest, "enabled": enabled}
    paths = [path for path, value in given.items() if value not in (None, ())]
    if not paths:
        raise Misused("Nothing to change was given. `hallmark targets update --help` lists what can be.")
    target = Target(
        name=name, include=include, exclude=exclude, platforms=platforms, newest=newest or 0, enabled=bool(enabled)
    )
    with connection.to("scanner") as channel:
        request = pb.UpdateTargetRequest(target=target, update_mask=FieldMask(paths=paths))
        answer = TargetServiceStub(channel).UpdateTarget(request)
    if form == "json":
        output.document(answer.target)
    else:
        _show(answer.target)


@targets.command()
@click.argument("name")
@speaks_as("operator")
def delete(connection: Connection, name: str) -> None:
    """Delete a target and its token. What was scanned stays."""
    with connection.to("scanner") as channel:
        TargetServiceStub(channel).DeleteTarget(pb.DeleteTargetRequest(name=name))
    output.note(f"The target {name} is deleted.")


def _show(target: Target, progress: TargetProgress | None = None) -> None:
    pairs = [
        ("name", target.name),
        ("registry", target.registry),
        ("repositories", _included(target)),
        ("excluded", ", ".join(target.exclude)),
        ("platforms", ", ".join(target.platforms) or "all"),
        ("existing images", f"the newest {target.newest}" if target.newest else "all"),
        ("state", _state(target)),
    ]
    if progress is not None:
        pairs += [
            ("images", f"{progress.scanned} scanned, {progress.left} left, {progress.failed} failed"),
            ("search", "at work" if progress.searching else "done"),
            ("trouble", progress.trouble),
        ]
    output.fields(pairs)


def _show_token(name: str, token: str) -> None:
    output.fields([("token", token)])
    output.note(f"Shown this once. The registry sends it to /events/{name} as `Authorization: Bearer <token>`.")


def _included(target: Target) -> str:
    return ", ".join(target.include) or "all"


def _state(target: Target) -> str:
    return "enabled" if target.enabled else "disabled"
