"""A service as a process of its own, with certificates made for the test."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from chassis.client import open_channel
from chassis.config import Upstream

from tests.factories.certificates import Authority

_START_SECONDS = 60
_ROOT = Path(__file__).parents[2]


@dataclass
class RunningService:
    """A service that runs. `said` is what it wrote to stderr, line by line."""

    name: str
    folder: Path
    authority: Authority
    process: asyncio.subprocess.Process
    port: int
    said: list[str]
    _stack: AsyncExitStack

    async def channel(self, role: str, name: str = "pat") -> grpc.aio.Channel:
        """Open a channel as a person in a role, closed with the service."""
        tls = self.authority.write(self.authority.person(role, name), self.folder / f"{role}-{name}")
        channel = open_channel(Upstream(address=f"127.0.0.1:{self.port}", role=self.name), tls)
        return await self._stack.enter_async_context(channel)


@dataclass
class ServiceProcess:
    """How a service is run; `start` may be called again after it was killed."""

    name: str
    folder: Path
    authority: Authority
    config: Path
    dies_in: str = ""
    """A function, as `module:name`, that kills the service when it is called."""

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the service to its end; return its exit code and what it wrote to stderr."""
        process = await self._spawn(*arguments)
        _, said = await asyncio.wait_for(process.communicate(), _START_SECONDS)
        return process.returncode or 0, said.decode()

    @asynccontextmanager
    async def start(self) -> AsyncIterator[RunningService]:
        """Run the service until the block ends."""
        process = await self._spawn("serve")
        try:
            async with AsyncExitStack() as stack:
                said: list[str] = []
                port, reading = await self._port(process, said)
                stack.callback(reading.cancel)
                yield RunningService(self.name, self.folder, self.authority, process, port, said, stack)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        module = ("tests.factories.dying", self.dies_in, self.name) if self.dies_in else (self.name,)
        command = (sys.executable, "-m", *module, *arguments, "--config", str(self.config))
        return await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, cwd=_ROOT)

    async def _port(self, process: asyncio.subprocess.Process, said: list[str]) -> tuple[int, asyncio.Task[None]]:
        assert process.stderr
        async with asyncio.timeout(_START_SECONDS):
            async for line in process.stderr:
                said.append(line.decode())
                if '"service started"' in said[-1]:
                    return int(json.loads(said[-1])["port"]), asyncio.create_task(_read_on(process.stderr, said))
        raise AssertionError(f"the {self.name} did not start: " + "".join(said))


async def _read_on(stream: asyncio.StreamReader, said: list[str]) -> None:
    while line := await stream.readline():
        said.append(line.decode())
