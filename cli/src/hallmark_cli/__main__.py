"""The `hallmark` command."""

import os
import sys
from pathlib import Path

import click

from hallmark_cli.commands import COMMANDS
from hallmark_cli.failures import CouldNotTell
from hallmark_cli.local.home import Home, default_home
from hallmark_cli.options import Setting

EXIT_CODES = """\b
Exit codes:
  0  yes
  1  no: denied, invalid, over the threshold, refused, not permitted, not found
  2  wrong usage, or a request that cannot be meant
  3  could not tell: no answer, or an image that could not be looked into
"""


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
    try:
        hallmark(prog_name="hallmark")
    except Exception as defect:
        if os.environ.get("HALLMARK_DEBUG"):
            raise
        failure = CouldNotTell(
            f"This is a defect of the command: {type(defect).__name__}: {defect}. HALLMARK_DEBUG=1 shows where."
        )
        failure.show()
        sys.exit(failure.exit_code)


if __name__ == "__main__":
    main()
