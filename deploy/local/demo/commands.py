"""The `hallmark` command as a person types it: run, shown, and its answer kept."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.demo.narration import Narration

LONGEST_SECONDS = 180


class Unexpected(Exception):
    """Something went otherwise than the demonstration can go on with; the text says what."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.stdout + self.stderr

    @property
    def refusal(self) -> str:
        """Why the answer was not yes: the command's own sentence."""
        said = [line for line in self.said.splitlines() if line.startswith("hallmark: ")]
        return said[-1].removeprefix("hallmark: ") if said else f"exit code {self.exit_code}"

    @property
    def reason(self) -> str:
        """The reason code of a refusal; empty where it gives none."""
        code = re.search(r"\[([A-Z_ ]+)\]$", self.refusal)
        return code[1] if code else ""


class Hallmark:
    """The command, on the suite of one home."""

    def __init__(self, home: Path, narration: Narration) -> None:
        self._environment = {**os.environ, "HALLMARK_HOME": str(home)}
        self._narration = narration

    def ask(self, *arguments: str) -> Answer:
        """Run it and show what it prints; whether the answer is yes is for the caller to see."""
        self._narration.command(shlex.join(["hallmark", *arguments]))
        # Together, as on a terminal: what was said on the way stands before the result.
        answer = self.run(*arguments, stderr=subprocess.STDOUT)
        self._narration.output(answer.said)
        return answer

    def do(self, *arguments: str) -> Answer:
        """Run it and show what it prints. Raises Unexpected where the answer is not yes."""
        return _demand_yes(self.ask(*arguments), arguments)

    def read(self, *arguments: str) -> Any:
        """Ask quietly for JSON. Raises Unexpected where the answer is not yes."""
        return json.loads(_demand_yes(self.run(*arguments, "-o", "json"), arguments).stdout)

    def run(self, *arguments: str, stderr: int = subprocess.PIPE) -> Answer:
        """Run it quietly."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hallmark_cli", *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        return Answer(done.returncode, done.stdout, done.stderr or "")


def _demand_yes(answer: Answer, arguments: tuple[str, ...]) -> Answer:
    if answer.exit_code:
        raise Unexpected(f"`{shlex.join(['hallmark', *arguments])}` failed: {answer.refusal}")
    return answer
