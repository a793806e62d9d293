"""The suite as a whole: brought up, taken down, and asked how it is."""

import importlib.util
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hallmark_cli import toml
from hallmark_cli.failures import CouldNotTell, Refused
from hallmark_cli.local import configs, identities, ports, processes, readiness
from hallmark_cli.local.authority import utc_now
from hallmark_cli.local.files import write_private
from hallmark_cli.local.home import SERVICES, Home
from hallmark_cli.local.records import (
    Choices,
    Registry,
    Started,
    read_choices,
    read_running,
    write_choices,
    write_running,
)

MIGRATED = ("scanner", "signer", "policy")
VAULT_KEY_BYTES = 32
Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How one service is: its process where it runs, its address, whether it says that it is ready, since when."""

    name: str
    pid: int | None
    address: str
    ready: bool
    since: str | None


def up(home: Home, cluster: str | None, registries: Mapping[str, Registry], announce: Announce) -> None:
    """Start what does not run, and wait until it is ready. Raises a Failure where all runs, or something does not."""
    with home.held():
        running = _alive(home)
        if len(running) == len(SERVICES):
            raise Refused(f"The suite is running already, in {home.path}. `hallmark status` shows it.")
        _demand_installed()
        choices = _choose(home, cluster, registries, restart=bool(running))
        _demand_free(home, choices, [name for name in SERVICES if name not in running])
        _prepare(home, choices)
        _start(home, choices, running, announce)


def down(home: Home) -> list[str]:
    """End the suite's processes, and no others; gives the names of those that ran."""
    if not home.path.exists():
        return []
    with home.held():
        running = _alive(home)
        # Those that ask others end first, so that none logs that a neighbour is gone.
        processes.end([running[name].process for name in reversed(SERVICES) if name in running])
        home.running.unlink(missing_ok=True)
        return [name for name in SERVICES if name in running]


def status(home: Home) -> list[ServiceStatus]:
    """How each service is."""
    chosen = read_choices(home.choices).ports
    running = _alive(home)
    return [_status(name, running.get(name), chosen) for name in SERVICES]


def _status(name: str, started: Started | None, chosen: Mapping[str, int]) -> ServiceStatus:
    address = f"{ports.LOOPBACK}:{chosen[name]}" if name in chosen else ""
    if started is None:
        return ServiceStatus(name, None, address, ready=False, since=None)
    answers = readiness.ready(chosen[configs.probe(name)])
    return ServiceStatus(name, started.pid, address, answers, started.since)


def _alive(home: Home) -> dict[str, Started]:
    recorded = read_running(home.running)
    return {name: started for name, started in recorded.items() if processes.alive(started.process)}


def _demand_installed() -> None:
    absent = [name for name in SERVICES if importlib.util.find_spec(name) is None]
    if absent:
        raise CouldNotTell(
            f"Not installed beside this command: {', '.join(absent)}. Install the services into {sys.prefix},"
            " or name a suite that runs elsewhere by --profile."
        )


def _choose(home: Home, cluster: str | None, registries: Mapping[str, Registry], *, restart: bool) -> Choices:
    before = read_choices(home.choices)
    choices = Choices(
        cluster=cluster or before.cluster,
        ports=ports.choose(configs.PORTS, before.ports),
        registries={**before.registries, **registries},
    )
    if restart and msgspec.structs.replace(choices, ports=before.ports) != before:
        raise Refused("Part of the suite is running with other settings. Take it down first: `hallmark down`.")
    return choices


def _demand_free(home: Home, choices: Choices, starting: list[str]) -> None:
    for name in configs.PORTS:
        port = choices.ports[name]
        if name.partition("-")[0] in starting and ports.taken(port):
            raise Refused(
                f"Port {port} on {ports.LOOPBACK}, chosen for {name}, is taken by another program."
                f" End that one, or choose another port in {home.choices}."
            )


def _prepare(home: Home, choices: Choices) -> None:
    home.prepare()
    write_choices(home.choices, choices)
    identities.ensure(home, choices.cluster, utc_now())
    if not home.vault_key.exists():
        write_private(home.vault_key, secrets.token_bytes(VAULT_KEY_BYTES))
    for name in SERVICES:
        write_private(home.config(name), toml.dumps(configs.config(name, home, choices)).encode())
    write_private(home.profile, toml.dumps(configs.profile(choices)).encode())


def _start(home: Home, choices: Choices, running: dict[str, Started], announce: Announce) -> None:
    starting = [name for name in SERVICES if name not in running]
    for name in starting:
        if name in MIGRATED:
            _migrate(home, name)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in starting:
            children[name] = _spawn(home, name)
            _record(home, running, name, children[name].pid)
        probes = {name: choices.ports[configs.probe(name)] for name in starting}
        readiness.await_ready(children, probes, {name: home.log(name) for name in starting}, announce)
    except BaseException:
        # An interrupt among them: what this start began ends with it.
        processes.end([running[name].process for name in starting if name in running])
        write_running(home.running, {name: one for name, one in running.items() if name not in starting})
        raise


def _record(home: Home, running: dict[str, Started], name: str, pid: int) -> None:
    process = processes.describe(pid)
    if process is not None:
        running[name] = Started(pid=pid, began=process.began, since=utc_now().isoformat(timespec="seconds"))
        write_running(home.running, running)


def _migrate(home: Home, name: str) -> None:
    command = [*_program(name), "migrate", "--config", str(home.config(name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    if done.returncode != 0:
        said = (done.stderr or done.stdout).splitlines()[-readiness.LAST_LINES :]
        raise CouldNotTell(f"The database of the {name} could not be made or brought up to date:", details=said)


def _spawn(home: Home, name: str) -> subprocess.Popen[bytes]:
    return processes.spawn([*_program(name), "--config", str(home.config(name))], home.log(name), dict(os.environ))


def _program(name: str) -> list[str]:
    # -P: a folder named like a service, where the command is called, is not taken for it.
    return [str(Path(sys.executable)), "-P", "-m", name]
