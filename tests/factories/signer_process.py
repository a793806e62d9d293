"""The signer as a process of its own, on free ports, with certificates made for the test."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
from chassis.client import open_channel
from chassis.config import Upstream
from hallmark.signer.v1 import key_service_pb2_grpc, signing_service_pb2_grpc

from tests.factories.certificates import Authority

_START_SECONDS = 60


@dataclass
class SignerHome:
    """What a signer is configured by; `start` may be called again after it was killed."""

    folder: Path
    authority: Authority
    scanner: str
    registry: str
    key_file: Path = field(init=False)

    def __post_init__(self) -> None:
        self.key_file = self.folder / "vault.key"
        self.key_file.touch(mode=0o600)
        self.key_file.write_bytes(b"k" * 32)
        tls = self.authority.write(self.authority.service("signer"), self.folder / "tls")
        self.config.write_text(
            f"""
            [server]
            address = "127.0.0.1:0"
            drain = 5
            [tls]
            ca = "{tls.ca}"
            certificate = "{tls.certificate}"
            key = "{tls.key}"
            trust_domain = "{tls.trust_domain}"
            [http]
            address = "127.0.0.1:0"
            [database]
            url = "sqlite+aiosqlite:///{self.folder}/store/signer.db"
            [vault]
            key_file = "{self.key_file}"
            [upstreams.scanner]
            address = "{self.scanner}"
            role = "scanner"
            [[registries]]
            host = "{self.registry}"
            plain_http = true
            timeout = 5
            retries = 0
            """
        )

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "signer.toml"

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the signer to its end; return its exit code and what it wrote to stderr."""
        process = await self._spawn(*arguments)
        _, said = await asyncio.wait_for(process.communicate(), _START_SECONDS)
        return process.returncode or 0, said.decode()

    @asynccontextmanager
    async def start(self) -> AsyncIterator["RunningSigner"]:
        """Run the signer until the block ends."""
        process = await self._spawn("serve")
        try:
            async with AsyncExitStack() as stack:
                port, reading = await self._port(process)
                stack.callback(reading.cancel)
                yield RunningSigner(self, process, port, stack)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "signer", *arguments, "--config", str(self.config))
        return await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)

    async def _port(self, process: asyncio.subprocess.Process) -> tuple[int, asyncio.Task[None]]:
        assert process.stderr
        said: list[str] = []
        async with asyncio.timeout(_START_SECONDS):
            async for line in process.stderr:
                said.append(line.decode())
                if '"service started"' in said[-1]:
                    return int(json.loads(said[-1])["port"]), asyncio.create_task(_drain(process.stderr))
        raise AssertionError("the signer did not start: " + "".join(said))


@dataclass
class RunningSigner:
    """A signer that runs."""

    home: SignerHome
    process: asyncio.subprocess.Process
    port: int
    _stack: AsyncExitStack

    async def channel(self, role: str, name: str = "pat") -> grpc.aio.Channel:
        """Open a channel as a person in a role, closed with the signer."""
        folder = self.home.folder / f"{role}-{name}"
        tls = self.home.authority.write(self.home.authority.person(role, name), folder)
        channel = open_channel(Upstream(address=f"127.0.0.1:{self.port}", role="signer"), tls)
        return await self._stack.enter_async_context(channel)

    async def keys(self, role: str) -> "key_service_pb2_grpc.KeyServiceAsyncStub":
        """Return KeyService as a person in a role."""
        return key_service_pb2_grpc.KeyServiceStub(await self.channel(role))

    async def signing(self, role: str) -> "signing_service_pb2_grpc.SigningServiceAsyncStub":
        """Return SigningService as a person in a role."""
        return signing_service_pb2_grpc.SigningServiceStub(await self.channel(role))


async def _drain(stream: asyncio.StreamReader) -> None:
    async for _ in stream:
        pass
