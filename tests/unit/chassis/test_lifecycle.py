"""A process from start to end: what it prints and how it exits."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
from chassis import lifecycle
from chassis.config import ConfigError
from chassis.errors import FailedPrecondition
from chassis.health import Health, operations
from chassis.http import HttpServer
from prometheus_client import CollectorRegistry

async def lasting():
    print("ready", flush=True)
    await asyncio.Event().wait()

async def ending():
    return None

async def serve(path):
    match path.name:
        case "bad": raise ConfigError("bad: server.address is missing")
        case "refused": raise FailedPrecondition("The schema is old.")
    health = Health({})
    listener = HttpServer(operations(health, CollectorRegistry()), "127.0.0.1:0")
    task = ending() if path.name == "ending" else lasting()
    async def drained():
        print("drained", flush=True)
    await lifecycle.run(server=None, listeners=[listener], health=health, tasks=[task], drain=drained)

async def migrate(path):
    print("migrated", path.name)

lifecycle.main("test", serve, migrate)
"""


async def started(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    pipe, environ = asyncio.subprocess.PIPE, {**os.environ, **variables}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, stdout=pipe, stderr=pipe, cwd=Path(__file__).parents[3], env=environ
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_ends_well(number: signal.Signals) -> None:
    process = await started("--config", "fine")
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    printed, errors = await process.communicate()
    assert (printed, process.returncode) == (b"drained\n", 0), errors.decode()


@pytest.mark.parametrize(
    ("config", "code", "sentence"),
    [
        ("bad", 2, b"test: bad: server.address is missing\n"),
        ("refused", 1, b"test: The schema is old.\n"),
    ],
)
async def test_what_keeps_it_from_starting_is_one_sentence(config: str, code: int, sentence: bytes) -> None:
    process = await started("--config", config)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (code, sentence)


async def test_a_task_that_ends_by_itself_ends_the_process_as_a_failure() -> None:
    process = await started("--config", "ending")
    printed, errors = await process.communicate()
    assert (printed, process.returncode) == (b"drained\n", 1)
    assert b"TaskEnded" in errors


async def test_the_environment_names_the_settings_file_unless_the_command_line_does() -> None:
    named = await started("migrate", HALLMARK_CONFIG="/etc/hallmark/named")
    assert (await named.communicate())[0] == b"migrated named\n"
    both = await started("migrate", "--config", "given", HALLMARK_CONFIG="/etc/hallmark/named")
    assert (await both.communicate())[0] == b"migrated given\n"
    neither = await started("migrate", HALLMARK_CONFIG="")
    assert b"--config" in (await neither.communicate())[1]
    assert neither.returncode == 2


async def test_migrate_is_a_command_of_its_own() -> None:
    process = await started("migrate", "--config", "fine")
    printed, _ = await process.communicate()
    assert (printed, process.returncode) == (b"migrated fine\n", 0)
