"""The scanner as a process of its own, on free ports, with certificates made for the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc.aio
from chassis.config import Tls

from tests.factories.certificates import Authority
from tests.factories.ports import free_port
from tests.factories.service_process import RunningService, ServiceProcess


class ScannerHome:
    """What a scanner is configured by; `start` may be called again after it was killed."""

    def __init__(self, folder: Path, registries: Iterable[str]) -> None:
        self.folder = folder
        self.authority = Authority()
        self.tls = self.authority.write(self.authority.service("scanner"), folder / "tls")
        self.listener = self.authority.write(self.authority.listener(), folder / "listener")
        self.events_port = free_port()
        self.probes_port = free_port()
        self.config = folder / "scanner.toml"
        self.config.write_text(_settings(self, registries))

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the scanner to its end; return its exit code and what it wrote to stderr."""
        return await self._process().run(*arguments)

    @asynccontextmanager
    async def start(self, *, dies_in: str = "") -> AsyncIterator["RunningScanner"]:
        """Run the scanner until the block ends, or it calls the function `dies_in` (`module:name`)."""
        async with self._process(dies_in).start() as service:
            yield RunningScanner(self, service)

    def _process(self, dies_in: str = "") -> ServiceProcess:
        return ServiceProcess("scanner", self.folder, self.authority, self.config, dies_in)


@dataclass
class RunningScanner:
    """A scanner that runs."""

    home: ScannerHome
    service: RunningService

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process."""
        return self.service.process

    async def channel(self, role: str, name: str = "pat") -> grpc.aio.Channel:
        """Open a channel as a person in a role, closed with the scanner."""
        return await self.service.channel(role, name)

    async def post(self, path: str, body: bytes, token: str) -> int:
        """Send a push event; returns the status."""
        trust = ssl.create_default_context(cafile=str(self.home.listener.ca))
        url = f"https://127.0.0.1:{self.home.events_port}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers, ssl=trust) as answer,
        ):
            return answer.status

    async def probe(self, path: str) -> tuple[int, str]:
        """Ask for health or metrics."""
        url = f"http://127.0.0.1:{self.home.probes_port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()


def _settings(home: ScannerHome, registries: Iterable[str]) -> str:
    lines = [
        _tables(home.tls),
        '[server]\naddress = "127.0.0.1:0"\ndrain = 5',
        f'[http]\naddress = "127.0.0.1:{home.probes_port}"',
        f'[events]\naddress = "127.0.0.1:{home.events_port}"',
        f'certificate = "{home.listener.certificate}"\nkey = "{home.listener.key}"',
        f'[database]\nurl = "sqlite+aiosqlite:///{home.folder}/store/scanner.db"',
    ]
    lines += [f'[[registries]]\nhost = "{host}"\nplain_http = true\nretries = 0' for host in registries]
    return "\n".join(lines) + "\n"


def _tables(tls: Tls) -> str:
    named = {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key, "trust_domain": tls.trust_domain}
    return "\n".join(["[tls]", *(f'{name} = "{value}"' for name, value in named.items())])
