"""From start to end of a process: one command line for all services, and a drain on SIGTERM that loses no call."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from chassis.config import ConfigError
from chassis.errors import Refusal
from chassis.health import Health
from chassis.http import HttpServer
from chassis.server import GrpcServer

log = logging.getLogger(__name__)

NOTICE_SECONDS: Final = 0.5
"""How long a process that drains says so while it still takes calls, so that callers go elsewhere in time."""
_USAGE: Final = 2


class TaskEnded(RuntimeError):
    """A task that lasts as long as the process came to an end of its own."""


def main(service: str, serve: Callable[[Path], Awaitable[None]], migrate: Callable[[Path], Awaitable[None]]) -> None:
    """Read the command line, then serve or migrate. Exit: 0 after a drain, 1 after a failure, 2 for bad settings."""
    parser = argparse.ArgumentParser(prog=f"python -m {service}", description=f"Hallmark's {service}.")
    parser.add_argument("command", nargs="?", choices=("serve", "migrate"), default="serve")
    named = os.environ.get("HALLMARK_CONFIG") or None
    parser.add_argument(
        "--config",
        type=Path,
        default=named,
        required=named is None,
        help="the settings file, in TOML; by default the one that the variable HALLMARK_CONFIG names",
    )
    given = parser.parse_args()
    try:
        asyncio.run(_awaited((migrate if given.command == "migrate" else serve)(given.config)))
    except ConfigError as error:
        sys.stderr.write(f"{service}: {error}\n")
        sys.exit(_USAGE)
    except Refusal as refusal:
        sys.stderr.write(f"{service}: {refusal.message}\n")
        sys.exit(1)
    except Exception:
        log.exception("service failed")
        sys.exit(1)


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def run(
    *,
    server: GrpcServer | None,
    listeners: Sequence[HttpServer],
    health: Health,
    tasks: Sequence[Coroutine[Any, Any, None]] = (),
    drain: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. Raises TaskEnded, or what ended a background task."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if server is not None:
        await server.start()
    serving = [asyncio.create_task(listener.run()) for listener in listeners]
    background = [asyncio.create_task(task) for task in tasks]
    log.info("service started", extra={"port": server.port if server else None})
    stopped = asyncio.create_task(stop.wait())
    try:
        ended, _ = await asyncio.wait([stopped, *serving, *background], return_when=asyncio.FIRST_COMPLETED)
    finally:
        health.drain()
        await asyncio.sleep(NOTICE_SECONDS)
        if server is not None:
            await server.stop()
        if drain is not None:
            await drain()
        await _end(background, listeners, serving)
    if stopped not in ended:
        stopped.cancel()
        for task in ended:
            task.result()
        raise TaskEnded("A task of this process ended before it was told to.")
    log.info("service stopped")


async def _end(
    background: Sequence[asyncio.Task[None]], listeners: Sequence[HttpServer], serving: Sequence[asyncio.Task[None]]
) -> None:
    for task in background:
        task.cancel()
    for listener in listeners:
        listener.stop()
    await asyncio.gather(*background, *serving, return_exceptions=True)
