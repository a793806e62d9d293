"""Results on stdout, as tables for people or JSON for programs; everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO, cast

import click
from google.protobuf.message import Message
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hallmark_cli.messages import Plain, plain
from hallmark_cli.texts import one_line, printable

STYLES = {
    "CRITICAL": "bold red",
    "HIGH": "red",
    "MEDIUM": "yellow",
    "LOW": "cyan",
    "SCANNED": "green",
    "ALLOW": "green",
    "DENY": "bold red",
    "UNAVAILABLE": "yellow",
    "ready": "green",
}
# Nothing is cut short in a pipe or a file.
UNBOUNDED = 10_000


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], nothing: str = "There are none.") -> None:
    """Print a table, or on stderr a sentence where it would be empty.

    On a terminal that is too narrow for the longest words, each row becomes a block of lines: a digest cut short is of
    no use to anybody.
    """
    listed = [list(row) for row in rows]
    if not listed:
        note(nothing)
        return
    console = _console(sys.stdout)
    made = _table(headers, listed)
    needed = Measurement.get(console, console.options.update(max_width=UNBOUNDED), made).minimum
    if needed <= console.width:
        show(made)
    else:
        _blocks(headers, listed)


def section(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an empty line and a further table of the same result; nothing where it would be empty."""
    if rows:
        line("")
        table(headers, rows)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        single_words = all(" " not in row[number] for row in rows)
        made.add_column(header, no_wrap=single_words, overflow="fold")
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _blocks(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(map(len, headers)) + 2
    for number, row in enumerate(rows):
        if number:
            line("")
        for header, value in zip(headers, row, strict=True):
            show(Text.assemble((header.ljust(width), "bold"), _cell(value)))


def fields(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one pair a line, empty values left out."""
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            made.add_row(name, _cell(value))
    if made.row_count:
        show(made)


def show(renderable: Table | Text) -> None:
    """Print something of rich on stdout, without trailing blanks, and unstyled where that is no terminal."""
    console = _console(sys.stdout)
    with console.capture() as captured:
        console.print(renderable, soft_wrap=isinstance(renderable, Text))
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def line(text: str) -> None:
    """Print one line of the result."""
    click.echo(one_line(text))


def paragraph(text: str) -> None:
    """Print a longer text of the result, as it stands."""
    click.echo(printable(text))


def piece(part: bytes) -> None:
    """Print a part of a document, byte by byte as it is."""
    click.echo(part, nl=False)


def note(text: str) -> None:
    """Print a remark on stderr."""
    click.echo(one_line(text), err=True)


def document(value: Message | Sequence[Message] | Plain) -> None:
    """Print JSON: a message as an object, several as an array."""
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=True))


def _plain(value: Message | Sequence[Message] | Plain) -> Plain:
    if isinstance(value, Message):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return cast(Plain, value)


def _cell(text: str) -> Text:
    return Text(one_line(text), style=STYLES.get(text, ""))


def _console(stream: TextIO) -> Console:
    return Console(file=stream, width=None if stream.isatty() else UNBOUNDED, highlight=False)
