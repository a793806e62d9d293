"""Progress on stderr: a bar on a terminal, else a line when something new begins."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from hallmark_cli.output import note


class Gauge(Protocol):
    """Something that shows how far it is."""

    def show(self, phase: str, done: int, total: int) -> None:
        """Show the phase, and the bytes done of a total (0: not known yet)."""


@contextmanager
def gauge() -> Iterator[Gauge]:
    """A bar where stderr is a terminal, else lines."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def show(self, phase: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=phase, completed=done, total=total or None)


class _Lines:
    def __init__(self) -> None:
        self._phase = ""

    def show(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            self._phase = phase
            note(phase)
