"""The `hallmark` command."""

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from hallmark_cli.commands import COMMANDS
from hallmark_cli.failures import CouldNotTell, Exit
from hallmark_cli.local.home import Home, default_home
from hallmark_cli.options import Setting

EXIT_CODES = """\b
Exit codes:
  0  yes
  1  no: denied, invalid, over the threshold, refused, not permitted, not found
  2  wrong usage, or a request that cannot be meant
  3  could not tell: no answer, or an image that could not be looked into
"""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="Where the suite on this machine lives [$HALLMARK_HOME].")
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    envvar="HALLMARK_PROFILE",
    help="Addresses and identities of a suite [$HALLMARK_PROFILE; else that of the suite on this machine].",
)
@click.pass_context
def hallmark(context: click.Context, home: Path | None, profile: Path | None) -> None:
    """Test container images, strike a mark on those that pass, and let only marked images into a cluster."""
    place = Home((home or default_home(dict(os.environ))).absolute())
    context.obj = Setting(place, profile or place.profile)


for command in COMMANDS:
    hallmark.add_command(command)


def main() -> None:
    """Run the command; whatever happens ends in a sentence and an exit code."""
    _open_closed_streams()
    try:
        sys.exit(_run())
    except click.ClickException as failure:
        _end(failure)
    except click.Abort:
        _end(CouldNotTell("Interrupted before there was an answer.", "INTERRUPTED"))
    except Exception as defect:
        if os.environ.get("HALLMARK_DEBUG"):
            raise
        _end(_unforeseen(defect))


def _run() -> int:
    try:
        answer = hallmark(prog_name="hallmark", standalone_mode=False)
    except SystemExit:
        # Click's way of saying that whoever read the result went away, which needs no sentence.
        return Exit.COULD_NOT_TELL
    return answer if isinstance(answer, int) else Exit.YES


def _unforeseen(problem: Exception) -> CouldNotTell:
    if not isinstance(problem, OSError):
        what = f"{type(problem).__name__}: {problem}"
        return CouldNotTell(f"This is a defect of the command: {what}. HALLMARK_DEBUG=1 shows where.")
    if problem.errno in FULL:
        return CouldNotTell(f"What was to be written could not be: {problem.strerror}.", "STORAGE_FULL")
    subject = f"{problem.filename} cannot be used" if problem.filename else "The system does not allow it"
    return CouldNotTell(f"{subject}: {problem.strerror or problem}.")


def _end(failure: click.ClickException) -> NoReturn:
    failure.show()
    sys.exit(failure.exit_code)


def _open_closed_streams() -> None:
    """What a caller closed (`>&-`) takes everything and gives nothing."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r+"))  # noqa: SIM115 - open as long as the process


if __name__ == "__main__":
    main()
