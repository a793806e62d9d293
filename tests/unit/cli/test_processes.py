"""Processes of ours are told apart from others, and ended alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hallmark_cli.local import processes
from hallmark_cli.local.processes import Process

SLEEPER = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()",
]


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.communicate()


def start(children: list[subprocess.Popen[str]], command: list[str]) -> Process:
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    children.append(child)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    found = processes.describe(child.pid)
    assert found is not None
    return found


def test_a_process_that_asked_nicely_ends(children: list[subprocess.Popen[str]]) -> None:
    process = start(children, SLEEPER)
    assert processes.alive(process)
    assert processes.end([process]) == []
    # It is a zombie of ours now, and still counts as ended.
    assert not processes.alive(process)
    assert children[0].wait() == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_killed(children: list[subprocess.Popen[str]]) -> None:
    process = start(children, STUBBORN)
    assert processes.end([process], grace=0.2) == [process]
    assert children[0].wait() == -signal.SIGKILL


def test_a_number_that_was_given_again_is_another_process(children: list[subprocess.Popen[str]]) -> None:
    process = start(children, SLEEPER)
    stranger = Process(process.pid, "another-boot:1")
    assert not processes.alive(stranger)
    assert processes.end([stranger], grace=0.1) == []
    assert processes.alive(process)


def test_no_process_has_no_description() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert processes.describe(child.pid) is None
    assert processes.describe(os.getpid()) is not None


def test_what_a_process_says_is_appended_to_its_owners_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("one", "two"):
        child = processes.spawn([sys.executable, "-c", f"print('{word}')"], log, dict(os.environ))
        assert child.wait() == 0
    assert log.read_text() == "one\ntwo\n"
    assert log.stat().st_mode & 0o777 == 0o600
