"""A verifier put together as in its process, amid real gRPC neighbours and a registry on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc.aio
import pytest
from chassis.client import call, open_channel
from chassis.config import Binding, Http, Server, Tls, Upstream
from chassis.roles import Roles
from chassis.server import GrpcServer, Offered
from hallmark.policy.v1 import policy_pb2
from hallmark.verifier.v1 import verdict_pb2, verifier_service_pb2_grpc
from hallmark.verifier.v1 import verifier_service_pb2 as pb
from prometheus_client import CollectorRegistry
from registry.settings import RegistrySettings
from verifier.__main__ import Process, assemble
from verifier.config import Limits, Settings
from verifier.config import Upstreams as UpstreamSettings

from tests.factories import marks, told
from tests.factories import stored_signatures as store
from tests.factories.certificates import Authority
from tests.fakes.registry import FakeRegistry
from tests.fakes.upstreams import Upstreams

AUTHORITY = Authority()
REPOSITORY = "pay/web"


async def until(holds: Callable[[], bool]) -> None:
    """Waits for something that another task or process does."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # there is no event for what another process does
            await asyncio.sleep(0.01)


class Running:
    """A verifier that serves, and everything around it."""

    def __init__(self, upstreams: Upstreams, registry: FakeRegistry, folder: Path) -> None:
        self.upstreams = upstreams
        self.registry = registry
        self.folder = folder
        self.key = marks.new_key()
        self.collected = CollectorRegistry()
        self.bindings: tuple[Binding, ...] = ()
        self.process: Process
        self.server: GrpcServer
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def repository(self) -> str:
        """`host/repository` of the test's images."""
        return f"{self.registry.host}/{REPOSITORY}"

    @property
    def image(self) -> str:
        """The test's image by digest."""
        return f"{self.repository}@{marks.DIGEST}"

    def settings(self) -> Settings:
        """The settings of a verifier here."""
        addresses = self.upstreams.addresses
        return Settings(
            server=Server(address="127.0.0.1:0", drain=0.0),
            tls=self.tls(),
            http=Http(address="127.0.0.1:0"),
            upstreams=UpstreamSettings(
                policy=addresses["policy"], signer=addresses["signer"], scanner=addresses["scanner"]
            ),
            registries=(RegistrySettings(host=self.registry.host, plain_http=True, retries=0),),
            limits=Limits(lookup=5.0),
        )

    def tls(self) -> Tls:
        """The verifier's certificate."""
        return AUTHORITY.write(AUTHORITY.service("verifier"), self.folder / "verifier")

    def sign(self, digest: str = marks.DIGEST, key: marks.PrivateKey | None = None, **payload: str) -> None:
        """Signs an image in the registry."""
        content = marks.payload(digest, **{"identity": self.repository, **payload})  # type: ignore[arg-type]  # any
        store.store_simple(self.registry, REPOSITORY, digest, key or self.key, content)

    async def start(self) -> None:
        """Starts the verifier, and waits until it has heard of everything."""
        settings = self.settings()
        self.process = assemble(settings, self.collected)
        self.server = GrpcServer(
            settings=settings.server,
            tls=settings.tls,
            area="verifier",
            offered=[
                Offered(
                    pb.DESCRIPTOR.services_by_name["VerifierService"],
                    verifier_service_pb2_grpc.add_VerifierServiceServicer_to_server,
                    self.process.servicer,
                )
            ],
            metrics=self.collected,
            roles=Roles(self.bindings),
        )
        await self.server.start()
        work = [*(feed.run() for feed in self.process.following), self.process.decisions.run()]
        self._tasks = [asyncio.create_task(one) for one in work]
        await until(lambda: not any(problem() for problem in self.process.feeds.problems().values()))

    async def restart(self, *bindings: Binding) -> None:
        """Starts the verifier anew, with these role bindings."""
        await self.stop()
        self.bindings, self.collected = bindings, CollectorRegistry()
        await self.start()

    async def stop(self) -> None:
        """Stops the verifier."""
        await self.server.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.process.drain()

    def channel(self, role: str, name: str) -> grpc.aio.Channel:
        """A channel of a caller in a role."""
        issued = AUTHORITY.person(role, name)
        upstream = Upstream(address=f"127.0.0.1:{self.server.port}", role="verifier")
        return open_channel(upstream, AUTHORITY.write(issued, self.folder / role / name))

    async def verify(
        self,
        *images: str,
        cluster: str = told.CLUSTER,
        form: verdict_pb2.ObjectForm.ValueType = verdict_pb2.OBJECT_FORM_POD,
        timeout: float = 10,  # noqa: ASYNC109  # the deadline of the call
        **members: str,
    ) -> list[verdict_pb2.Verdict]:
        """What the adapter of a cluster is told of these images."""
        request = pb.VerifyImagesRequest(
            images=[pb.NamedImage(image=image, found_at="spec") for image in images],
            object_form=form,
            **members,  # type: ignore[arg-type]  # any further member
        )
        async with self.channel("admission", cluster) as channel:
            stub = verifier_service_pb2_grpc.VerifierServiceStub(channel)
            return list((await call(stub.VerifyImages, request, timeout=timeout)).verdicts)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A verifier that knows the key `release`, a policy that demands its signature, and one signed image."""
    async with FakeRegistry() as registry, Upstreams(AUTHORITY, tmp_path) as upstreams:
        made = Running(upstreams, registry, tmp_path)
        upstreams.policy.told.tell(told.policy(told.rule(match=policy_pb2.Match(namespaces=["pay-*"]))))
        upstreams.signer.told.tell(told.key_version(made.key))
        upstreams.scanner.told.tell(told.feeds(), told.risk(made.repository))
        made.sign()
        await made.start()
        yield made
        await made.stop()
