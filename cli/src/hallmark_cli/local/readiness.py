"""Waiting for services that were started, by asking their /readyz."""

import http.client
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hallmark_cli.failures import CouldNotTell, Failure
from hallmark_cli.local.ports import LOOPBACK

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
PROBE_SECONDS = 2.0
LAST_LINES = 5


def ready(port: int) -> bool:
    """Whether the service that answers probes on this port says that it is ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def await_ready(
    started: Mapping[str, subprocess.Popen[bytes]],
    ports: Mapping[str, int],
    logs: Mapping[str, Path],
    announce: Callable[[str], None],
) -> None:
    """Return once every service is ready. Raises a Failure where one ends, or is not ready within a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = list(started)
    while waiting:
        for name in list(waiting):
            if started[name].poll() is not None:
                raise _failure(f"The {name} did not start", logs[name])
            if ready(ports[name]):
                waiting.remove(name)
                announce(name)
        if waiting and time.monotonic() > deadline:
            raise _failure(f"The {waiting[0]} is not ready after {PATIENCE_SECONDS:.0f} s", logs[waiting[0]])
        time.sleep(POLL_SECONDS)


def _failure(what: str, log: Path) -> Failure:
    last = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return CouldNotTell(f"{what}. The end of its log, {log}:", details=last)
