"""Options for the gate of a key, and how a gate is told."""

from typing import Any

import click
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.signer.v1.gate_pb2 import Gate

from hallmark_cli.commands.risks import severity
from hallmark_cli.durations import spoken
from hallmark_cli.options import Command, DurationText, EnumWord

RANKED = EnumWord(Severity.DESCRIPTOR, without=("UNKNOWN",))
FIELDS = ("max_severity", "max_age", "ignore_unfixed", "unknown_as", "allow_unreadable")


def gate_options(command: Command) -> Command:
    """An option for each condition of a gate."""
    options = [
        click.option("--max-severity", type=RANKED, help="The worst severity that open findings may have."),
        click.option("--max-age", type=DurationText(), help="How old the image's risk may be, for example 24h."),
        click.option("--ignore-unfixed/--count-unfixed", default=None, help="Leave out findings without a fix."),
        click.option("--unknown-as", type=RANKED, help="The severity that an unrated finding counts as."),
        click.option("--allow-unreadable/--refuse-unreadable", default=None, help="Pass images read in part."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def gate(given: dict[str, Any]) -> Gate | None:
    """The gate of the options that were given; None where none was. Takes them out of the arguments."""
    conditions = {name: given.pop(name) for name in FIELDS}
    stated = {name: value for name, value in conditions.items() if value is not None}
    return Gate(**stated) if stated else None


def told(found: Gate) -> str:
    """A gate as one sentence part."""
    parts = [
        f"findings up to {severity(found.max_severity)}",
        f"risk of the last {spoken(found.max_age)}",
        f"unrated ones as {severity(found.unknown_as)}",
    ]
    parts += ["unfixed ones left out"] if found.ignore_unfixed else []
    parts += ["unreadable parts allowed"] if found.allow_unreadable else []
    return ", ".join(parts)
