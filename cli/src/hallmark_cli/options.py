"""Options that commands share."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from hallmark_cli import durations, messages
from hallmark_cli.connection import Connection
from hallmark_cli.local.home import Home
from hallmark_cli.profile import load

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the root command was given: where the local suite lives, and the profile to use."""

    home: Home
    profile: Path


def speaks_as(role: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The command speaks to services: it takes --as, and gets a Connection as its first argument."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--as", "wanted", metavar="ROLE", help=f"The identity to act as.  [default: {role}]")
        @click.pass_obj
        def connected(setting: Setting, /, wanted: str | None, **arguments: Any) -> None:
            profile = load(setting.profile)
            command(Connection(profile, profile.identity(wanted, role)), **arguments)

        return functools.update_wrapper(connected, command)

    return decorate


def output_form(command: Command) -> Command:
    """-o: a table for people, or JSON for programs."""
    return _forms(command, [])


def output_forms(*more: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """-o: as output_form, or something that only this command has."""
    return lambda command: _forms(command, more)


def _forms(command: Command, more: Sequence[str]) -> Command:
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(["table", "json", *more]),
        default="table",
        show_default=True,
        help="How to print the result.",
    )(command)


def limited(command: Command) -> Command:
    """--limit: how many items a list shows."""
    return click.option(
        "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Show this many at most."
    )(command)


class EnumWord(click.ParamType[int]):
    """A bare word of an API enum, in any case; gives its number."""

    def __init__(self, enum: EnumDescriptor, without: tuple[str, ...] = ()) -> None:
        self.name = enum.name.lower()
        self._enum = enum
        self._words = [word for word in messages.words(enum) if word not in without]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of the word."""
        if isinstance(value, int):
            return value
        word = str(value).upper().replace("-", "_")
        if word not in self._words:
            self.fail(f"{value!r} is none of {', '.join(self._words)}.", param, ctx)
        return messages.number(self._enum, word)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The words, as --help shows them."""
        return f"[{'|'.join(self._words)}]"


class DurationText(click.ParamType[Duration]):
    """A duration such as 24h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """The duration."""
        if isinstance(value, Duration):
            return value
        try:
            return durations.parse(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


class Moment(click.ParamType[Timestamp]):
    """A moment in RFC 3339, with its offset from UTC; `now` for the present."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Timestamp:
        """The moment."""
        if isinstance(value, Timestamp):
            return value
        moment = Timestamp()
        if value == "now":
            moment.GetCurrentTime()
            return moment
        try:
            read = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: write it as 2030-01-31T12:00:00Z.", param, ctx)
        if read.tzinfo is None:
            self.fail(f"{value!r} lacks its offset from UTC: end it with Z or, for example, +02:00.", param, ctx)
        moment.FromDatetime(read)
        return moment


class Pair(click.ParamType[tuple[str, str]]):
    """name=value."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The name and the value."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not (name and equals):
            self.fail(f"{value!r} is no name=value.", param, ctx)
        return name, rest
