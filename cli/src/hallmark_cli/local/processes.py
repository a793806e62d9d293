"""Processes of ours, told apart from others that got the same number later."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 20.0
POLL_SECONDS = 0.05
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its number and by when it began: two have the same number never at the same time."""

    pid: int
    began: str


def spawn(command: list[str], log: Path, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command apart from this terminal, its output appended to a file that its owner alone may read."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        return subprocess.Popen(  # noqa: S603 - the command is our own interpreter and a service's name
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=variables,
        )


def describe(pid: int) -> Process | None:
    """The process of this number; None where there is none, or only its remains."""
    began = _began_on_linux(pid) if BOOT.exists() else _began_by_ps(pid)
    return Process(pid, began) if began else None


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    return describe(process.pid) == process


def end(processes: list[Process], grace: float = GRACE_SECONDS) -> list[Process]:
    """Ask each to end, then end those that did not within the grace; gives these."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    stubborn = _await_end(processes, grace)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    _await_end(stubborn, grace)
    return stubborn


def _signal(process: Process, number: signal.Signals) -> None:
    if alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return  # It ended by itself in between, which is what was wanted.


def _await_end(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [process for process in left if alive(process)]
    return left


def _began_on_linux(pid: int) -> str:
    """proc(5): after the name in brackets the state, then from the third field on numbers; the 22nd is the start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    remains = fields[0] in {"Z", "X"}
    return "" if remains else f"{BOOT.read_text().strip()}:{fields[19]}"


def _began_by_ps(pid: int) -> str:
    command = ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return "" if answer.startswith("Z") else answer.partition(" ")[2].strip()
