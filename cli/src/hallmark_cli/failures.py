"""How a command fails: one sentence for a person, a reason code for machines, and an exit code.

0 yes · 1 no (denied, invalid, over the threshold, refused, not permitted, not found) · 2 usage or INVALID_ARGUMENT ·
3 could not tell.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import IO, Any, ClassVar

import click

from hallmark_cli.texts import one_line


class Exit(IntEnum):
    """The exit codes of every command."""

    YES = 0
    NO = 1
    USAGE = 2
    COULD_NOT_TELL = 3


class Failure(click.ClickException):
    """A command that ends here. `details` are further sentences, each shown on a line of its own."""

    exit_code: ClassVar[int] = Exit.COULD_NOT_TELL

    def __init__(self, message: str, reason: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.details = tuple(details)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it on stderr: the sentence, its reason code in brackets, then the details."""
        code = f" [{self.reason}]" if self.reason else ""
        click.echo(f"hallmark: {one_line(self.message)}{code}", file=file, err=True)
        for detail in self.details:
            click.echo(f"  {one_line(detail)}", file=file, err=True)


class Refused(Failure):
    """The answer is no."""

    exit_code = Exit.NO


class Misused(Failure):
    """What was asked cannot be meant."""

    exit_code = Exit.USAGE


class CouldNotTell(Failure):
    """There is no answer."""

    exit_code = Exit.COULD_NOT_TELL
