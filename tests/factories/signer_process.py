"""The signer as a process of its own, on free ports, with certificates made for the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hallmark.signer.v1 import key_service_pb2_grpc, signing_service_pb2_grpc

from tests.factories.certificates import Authority
from tests.factories.service_process import RunningService, ServiceProcess


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
        return await self._process().run(*arguments)

    @asynccontextmanager
    async def start(self, *, dies_in: str = "") -> AsyncIterator["RunningSigner"]:
        """Run the signer until the block ends, or it calls the function `dies_in` (`module:name`)."""
        async with self._process(dies_in).start() as service:
            yield RunningSigner(service)

    def _process(self, dies_in: str = "") -> ServiceProcess:
        return ServiceProcess("signer", self.folder, self.authority, self.config, dies_in)


@dataclass
class RunningSigner:
    """A signer that runs."""

    service: RunningService

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process."""
        return self.service.process

    async def keys(self, role: str) -> "key_service_pb2_grpc.KeyServiceAsyncStub":
        """Return KeyService as a person in a role."""
        return key_service_pb2_grpc.KeyServiceStub(await self.service.channel(role))

    async def signing(self, role: str) -> "signing_service_pb2_grpc.SigningServiceAsyncStub":
        """Return SigningService as a person in a role."""
        return signing_service_pb2_grpc.SigningServiceStub(await self.service.channel(role))
