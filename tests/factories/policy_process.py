"""The policy service as a process of its own, on a free port, with certificates made for the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hallmark.policy.v1 import decision_service_pb2_grpc, policy_service_pb2_grpc

from tests.factories.certificates import Authority
from tests.factories.service_process import RunningService, ServiceProcess


class PolicyHome:
    """What a policy service is configured by; `start` may be called again after it was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "policy.toml"
        self._authority = Authority()
        self.configure()

    def configure(self, *more: str, epoch: int = 1) -> None:
        """Write the settings, with further lines at their end."""
        tls = self._authority.write(self._authority.service("policy"), self.folder / "tls")
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
            url = "sqlite+aiosqlite:///{self.folder}/store/policy.db"
            [store]
            epoch = {epoch}
            """
            + "\n".join(more)
        )

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the service to its end; return its exit code and what it wrote to stderr."""
        return await self._process().run(*arguments)

    @asynccontextmanager
    async def start(self, *, dies_in: str = "") -> AsyncIterator["RunningPolicy"]:
        """Run the service until the block ends, or it calls the function `dies_in` (`module:name`)."""
        async with self._process(dies_in).start() as service:
            yield RunningPolicy(service)

    def _process(self, dies_in: str = "") -> ServiceProcess:
        return ServiceProcess("policy", self.folder, self._authority, self.config, dies_in)


@dataclass
class RunningPolicy:
    """A policy service that runs."""

    service: RunningService

    async def policies(self, role: str, name: str = "pat") -> "policy_service_pb2_grpc.PolicyServiceAsyncStub":
        """Return PolicyService as somebody in a role."""
        return policy_service_pb2_grpc.PolicyServiceStub(await self.service.channel(role, name))

    async def decisions(self, role: str, name: str = "pat") -> "decision_service_pb2_grpc.DecisionServiceAsyncStub":
        """Return DecisionService as somebody in a role."""
        return decision_service_pb2_grpc.DecisionServiceStub(await self.service.channel(role, name))
