"""The suite on one machine: up, asked, hurt, and taken down, by the command as a person runs it."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hallmark_cli.local import processes
from hallmark_cli.local.home import SERVICES

SECONDS = 120
TOP = Path(__file__).parents[3]


class Suite:
    """A suite in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on it."""
        command = [sys.executable, "-P", "-m", "hallmark_cli", "--home", str(self.home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)

    def services(self) -> dict[str, dict[str, Any]]:
        """What `status` says of each service."""
        listed: list[dict[str, Any]] = json.loads(self.run("status", "-o", "json").stdout)
        return {one["name"]: one for one in listed}


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    made = Suite(tmp_path / "my home")
    yield made
    made.run("down")


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Suite]:
    """A second suite on the machine."""
    made = Suite(tmp_path / "neighbour")
    yield made
    made.run("down")


def test_a_home_without_a_suite(suite: Suite) -> None:
    assert suite.run("status").returncode == 1
    assert {one["ready"] for one in suite.services().values()} == {False}
    ended = suite.run("down")
    assert (ended.returncode, ended.stderr) == (0, "Nothing was running.\n")
    listed = suite.run("keys", "list")
    assert listed.returncode == 2
    assert "`hallmark up` makes one" in listed.stderr


def metrics_served(suite: Suite) -> set[tuple[str, str, str]]:
    """Service, name and type of every metric that the suite serves."""
    ports = tomllib.loads((suite.home / "suite.toml").read_text())["ports"]
    served = set()
    for name in SERVICES:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports[f'{name}-probes']}/metrics", timeout=10) as answer:
            types = re.findall(r"^# TYPE (\w+) (\w+)$", answer.read().decode(), re.MULTILINE)
        served |= {(name, metric, kind) for metric, kind in types if not metric.endswith("_created")}
    return served


def metrics_documented() -> set[tuple[str, str, str]]:
    """What docs/metrics.md lists."""
    service, listed = "", set()
    for line in (TOP / "docs" / "metrics.md").read_text().splitlines():
        if line.startswith("## "):
            service = line.removeprefix("## ").lower()
        elif row := re.match(r"\| `(\w+)` \| (\w+) \|", line):
            listed.add((service, row[1], row[2]))
    return listed


@pytest.mark.timeout(300)
def test_the_life_of_a_suite(suite: Suite) -> None:
    up = suite.run("up", "--cluster", "one", "--registry", "127.0.0.1:5000,plain")
    assert up.returncode == 0, up.stderr
    first = suite.services()
    assert [first[name]["ready"] for name in SERVICES] == [True] * len(SERVICES)
    assert suite.run("status").returncode == 0
    assert suite.run("keys", "create", "release").returncode == 0

    assert metrics_served(suite) == metrics_documented()

    again = suite.run("up")
    assert again.returncode == 1
    assert "running already" in again.stderr
    assert suite.services() == first

    os.kill(first["policy"]["pid"], signal.SIGKILL)
    hurt = suite.run("status")
    assert hurt.returncode == 1
    assert "not running" in hurt.stdout
    other = suite.run("up", "--cluster", "two")
    assert other.returncode == 1
    assert "other settings" in other.stderr
    assert suite.run("up").returncode == 0
    mended = suite.services()
    assert mended["policy"]["pid"] != first["policy"]["pid"]
    assert mended["policy"]["address"] == first["policy"]["address"]
    assert {name: mended[name]["pid"] for name in SERVICES if name != "policy"} == {
        name: first[name]["pid"] for name in SERVICES if name != "policy"
    }

    down = suite.run("down")
    assert (down.returncode, down.stderr) == (0, f"Ended: {', '.join(SERVICES)}.\n")
    assert {processes.describe(one["pid"]) for one in mended.values()} == {None}

    # What was made, and how registries are reached, outlives it.
    assert suite.run("up").returncode == 0
    assert "release" in suite.run("keys", "list").stdout
    config = tomllib.loads((suite.home / "config" / "scanner.toml").read_text())
    assert config["registries"] == [{"host": "127.0.0.1:5000", "plain_http": True}]


@pytest.mark.timeout(300)
def test_a_taken_port_and_a_stale_record(suite: Suite) -> None:
    assert suite.run("up").returncode == 0
    assert suite.run("down").returncode == 0
    # A record of processes that are others by now, as after the machine was started anew.
    (suite.home / "running.toml").write_text(
        f'[scanner]\npid = {os.getpid()}\nbegan = "another boot"\nsince = "2030-01-01T00:00:00+00:00"\n'
    )
    assert suite.services()["scanner"]["pid"] is None

    ports = tomllib.loads((suite.home / "suite.toml").read_text())["ports"]
    with socket.create_server(("127.0.0.1", ports["signer"])):
        refused = suite.run("up")
    assert refused.returncode == 1
    assert f"Port {ports['signer']} on 127.0.0.1, chosen for signer, is taken" in refused.stderr
    assert {one["pid"] for one in suite.services().values()} == {None}
    # The process of the record, this one, was none of the suite's.
    assert suite.run("down").stderr == "Nothing was running.\n"


@pytest.mark.timeout(300)
def test_a_service_that_cannot_start_takes_the_others_with_it(suite: Suite) -> None:
    assert suite.run("up").returncode == 0
    assert suite.run("down").returncode == 0
    (suite.home / "secrets" / "vault.key").chmod(0o644)
    failed = suite.run("up")
    assert failed.returncode == 3
    assert "The signer did not start" in failed.stderr
    assert "vault.key" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert {one["pid"] for one in suite.services().values()} == {None}


@pytest.mark.timeout(300)
def test_two_suites_on_one_machine_and_the_end_of_all_processes_of_one(suite: Suite, neighbour: Suite) -> None:
    assert neighbour.run("up").returncode == 0
    assert suite.run("up").returncode == 0
    assert suite.run("keys", "create", "release").returncode == 0
    before, beside = suite.services(), neighbour.services()
    for one in before.values():
        os.kill(one["pid"], signal.SIGKILL)
    killed = suite.run("status")
    assert killed.returncode == 1
    assert killed.stdout.count("not running") == len(SERVICES)
    assert "does not answer" in suite.run("keys", "list").stderr

    assert suite.run("up").returncode == 0
    assert "release" in suite.run("keys", "list").stdout
    assert {one["address"] for one in suite.services().values()} == {one["address"] for one in before.values()}
    assert suite.run("down").returncode == 0
    again = suite.run("down")
    assert (again.returncode, again.stderr) == (0, "Nothing was running.\n")
    assert neighbour.services() == beside
    assert neighbour.run("keys", "list").stdout == ""


def test_a_home_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        refused = Suite(home).run("up")
        assert refused.returncode == 3
        assert refused.stderr.startswith(f"hallmark: {home} cannot be used: ")


def test_an_up_while_another_is_at_work(suite: Suite) -> None:
    suite.home.mkdir()
    with (suite.home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in ("up", "down"):
            refused = suite.run(command)
            assert refused.returncode == 1
            assert "is at work in" in refused.stderr
