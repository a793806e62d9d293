"""What the demonstration tells: chapters, the commands with what they print, and the table at the end."""

import sys
from collections.abc import Sequence

from hallmark_cli.texts import printable
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 160
"""Columns of the table where the output is no terminal."""


class Narration:
    """A teller of what happens, on stdout."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._console.print(f"\n[bold]── {escape(title)} ──[/bold]\n")

    def say(self, text: str) -> None:
        """Say a sentence."""
        self._console.print(escape(printable(text)))

    def command(self, line: str) -> None:
        """Show a command that is about to run."""
        self._console.print(f"[bold cyan]$ {escape(printable(line))}[/bold cyan]")

    def output(self, text: str) -> None:
        """Show what a command printed."""
        for line in printable(text).rstrip("\n").splitlines():
            self._console.print(f"  {escape(line)}", style="dim" if not line.strip() else "")
        self._console.print()

    def deployment(self, kind: str, image: str, outcome: str, said: str) -> None:
        """Show a deployment, and what the cluster was told."""
        self._console.print(f"[bold cyan]> AdmissionReview: create a {kind} with {escape(image)}[/bold cyan]")
        style = "green" if outcome.startswith("admitted") else "red"
        self._console.print(f"  [{style}]{escape(outcome)}[/{style}]")
        self.output(said)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        made = Table(*headers, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for row in rows:
            made.add_row(*map(escape, row))
        self._console.print(made, soft_wrap=False)
