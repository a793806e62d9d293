"""A server over real connections: who may call what, and what comes back when it goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from chassis.client import RemoteRefusal, call, open_channel
from chassis.config import ConfigError, Server, Tls, Upstream
from chassis.errors import FailedPrecondition, InvalidArgument, Kind
from chassis.health import Health
from chassis.identity import correlation_id, current_caller
from chassis.server import GrpcServer, Offered
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from hallmark.signer.v1 import key_service_pb2 as pb
from hallmark.signer.v1 import key_service_pb2_grpc as rpc
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority, Issued

AUTHORITY = Authority()
SERVICE = pb.DESCRIPTOR.services_by_name["KeyService"]


class KeyRusted(FailedPrecondition):
    """A refusal of the test's servicer."""


class Keys:
    """Answers by the name that is asked for."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.leave = asyncio.Event()
        self.seen: list[str] = []

    async def GetKey(  # noqa: N802
        self, request: pb.GetKeyRequest, context: grpc.aio.ServicerContext[pb.GetKeyRequest, pb.GetKeyResponse]
    ) -> pb.GetKeyResponse:
        self.seen.append(f"{current_caller().spiffe_id} {correlation_id()}")
        if request.name == "rusted":
            raise KeyRusted("The key is rusted.", metadata={"key": "rusted"})
        if request.name == "endless":
            raise KeyRusted("€" * 100_000, metadata={"key": "€" * 100_000})
        if request.name == "odd":
            raise InvalidArgument("Odd.", field="name")
        if request.name == "broken":
            raise ZeroDivisionError("secret inner detail")
        if request.name == "slow":
            self.entered.set()
            await self.leave.wait()
        return pb.GetKeyResponse()


class Front(Keys):
    """Asks the same of a neighbour."""

    def __init__(self, behind: rpc.KeyServiceAsyncStub) -> None:
        super().__init__()
        self._behind = behind

    async def GetKey(  # noqa: N802
        self, request: pb.GetKeyRequest, context: grpc.aio.ServicerContext[pb.GetKeyRequest, pb.GetKeyResponse]
    ) -> pb.GetKeyResponse:
        self.seen.append(f"{current_caller().spiffe_id} {correlation_id()}")
        return await call(self._behind.GetKey, request, timeout=5)


async def listed(opened: grpc.aio.Channel) -> list[str]:
    """The services that reflection lists."""
    ask = opened.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    return [service.name async for answer in answers for service in answer.list_services_response.service]


def register(servicer: Keys, server: grpc.aio.Server) -> None:
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.GetKey, pb.GetKeyRequest.FromString, pb.GetKeyResponse.SerializeToString
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE.full_name, {"GetKey": handler})])


async def check_health(opened: grpc.aio.Channel, service: str = "") -> health_pb2.HealthCheckResponse:
    check = opened.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return await check(health_pb2.HealthCheckRequest(service=service), timeout=5)


def watch_health(opened: grpc.aio.Channel, service: str) -> AsyncIterator[health_pb2.HealthCheckResponse]:
    watch = opened.unary_stream(
        "/grpc.health.v1.Health/Watch",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return aiter(watch(health_pb2.HealthCheckRequest(service=service)))


@asynccontextmanager
async def serving(
    tmp_path: Path, servicer: Keys, deadline: float = 30.0, health: Health | None = None
) -> AsyncIterator[tuple[GrpcServer, str]]:
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", default_deadline=deadline, drain=5.0),
        tls=AUTHORITY.write(AUTHORITY.service("signer"), tmp_path / "server"),
        area="signer",
        offered=[Offered(SERVICE, register, servicer)],
        metrics=CollectorRegistry(),
        health=health,
    )
    await server.start()
    try:
        yield server, f"127.0.0.1:{server.port}"
    finally:
        servicer.leave.set()
        await server.stop()


def channel(address: str, tmp_path: Path, issued: Issued, role: str = "signer") -> grpc.aio.Channel:
    return open_channel(Upstream(address=address, role=role), AUTHORITY.write(issued, tmp_path / "client"))


async def refused(address: str, tmp_path: Path, issued: Issued, name: str = "k", role: str = "signer") -> RemoteRefusal:
    async with channel(address, tmp_path, issued, role) as opened:
        with pytest.raises(RemoteRefusal) as refusal:
            await call(rpc.KeyServiceStub(opened).GetKey, pb.GetKeyRequest(name=name), timeout=10)
    return refusal.value


async def test_a_caller_with_the_permission_is_served(tmp_path: Path) -> None:
    servicer = Keys()
    async with (
        serving(tmp_path, servicer) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("auditor")) as opened,
    ):
        await call(rpc.KeyServiceStub(opened).GetKey, pb.GetKeyRequest(name="k"), timeout=10)
    assert servicer.seen[0].startswith("spiffe://test.example/auditor/pat ")


@pytest.mark.parametrize(
    "uris",
    [
        ("spiffe://other.example/auditor/pat",),
        ("spiffe://test.example/auditor/pat", "spiffe://test.example/custodian/pat"),
        ("spiffe://test.example/auditor",),
        ("spiffe://test.example/auditor/pat/more",),
        ("https://test.example/auditor/pat",),
    ],
)
async def test_an_identity_that_is_none_is_refused(tmp_path: Path, uris: tuple[str, ...]) -> None:
    servicer = Keys()
    async with serving(tmp_path, servicer) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.issue(*uris))
    assert (refusal.kind, servicer.seen) == (Kind.UNAUTHENTICATED, [])


async def test_a_certificate_of_an_authority_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        issued = AUTHORITY.issue("spiffe://test.example/auditor/pat", ca=True)
        assert (await refused(address, tmp_path, issued)).kind is Kind.UNAUTHENTICATED


@pytest.mark.parametrize("role", ["admission", "policy", "nobody"])
async def test_a_role_without_the_permission_is_refused(tmp_path: Path, role: str) -> None:
    servicer = Keys()
    async with serving(tmp_path, servicer) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.person(role))
    assert (refusal.kind, servicer.seen) == (Kind.PERMISSION_DENIED, [])


async def test_a_stranger_s_certificate_and_none_at_all_do_not_connect(tmp_path: Path) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        stranger = Authority().person("auditor")
        assert (await refused(address, tmp_path, stranger)).kind is Kind.UNAVAILABLE
        credentials = grpc.ssl_channel_credentials(AUTHORITY.certificate)
        options = [("grpc.ssl_target_name_override", "signer.test.example")]
        async with grpc.aio.secure_channel(address, credentials, options=options) as opened:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await check_health(opened)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("shown", ["none", "a stranger's"])
async def test_health_and_reflection_are_closed_to_who_has_no_certificate_of_ours(tmp_path: Path, shown: str) -> None:
    stranger = Authority().person("auditor")
    pair = (stranger.key, stranger.certificate) if shown != "none" else (None, None)
    credentials = grpc.ssl_channel_credentials(AUTHORITY.certificate, *pair)
    options = [("grpc.ssl_target_name_override", "signer.test.example")]
    async with (
        serving(tmp_path, Keys()) as (_, address),
        grpc.aio.secure_channel(address, credentials, options=options) as opened,
    ):
        for asked in (check_health(opened), anext(watch_health(opened, "")), listed(opened)):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await asked
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_reflection_needs_a_certificate_and_no_permission(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, Keys()) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("admission")) as opened,
    ):
        assert SERVICE.full_name in await listed(opened)


async def test_one_correlation_id_goes_over_two_hops(tmp_path: Path) -> None:
    behind = Keys()
    async with (
        serving(tmp_path / "behind", behind) as (_, address),
        channel(address, tmp_path / "onward", AUTHORITY.person("oncall")) as onward,
        serving(tmp_path / "front", front := Front(rpc.KeyServiceStub(onward))) as (_, entrance),
        channel(entrance, tmp_path, AUTHORITY.person("auditor")) as opened,
    ):
        ask = rpc.KeyServiceStub(opened).GetKey
        mine = grpc.aio.Metadata(("x-correlation-id", "me-1"))
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await ask(pb.GetKeyRequest(name="rusted"), metadata=mine)
        await ask(pb.GetKeyRequest(name="k"))
    assert ("x-correlation-id", "me-1") in list(error.value.trailing_metadata())
    given, made = (line.split()[1] for line in front.seen)
    assert (given, made != "me-1") == ("me-1", True)
    assert behind.seen == [f"spiffe://test.example/oncall/pat {name}" for name in (given, made)]


async def test_a_clock_that_jumps_cuts_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servicer = Keys()
    async with (
        serving(tmp_path, servicer) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("auditor")) as opened,
    ):
        for jump in (86_400, -86_400):
            servicer.entered.clear()
            running = asyncio.ensure_future(
                call(rpc.KeyServiceStub(opened).GetKey, pb.GetKeyRequest(name="slow"), timeout=20)
            )
            await servicer.entered.wait()
            with monkeypatch.context() as patched:
                patched.setattr(time, "time", lambda jump=jump, real=time.time: real() + jump)
                await asyncio.sleep(0)
                servicer.leave.set()
                assert await running == pb.GetKeyResponse()
            servicer.leave.clear()


async def test_a_server_of_another_role_is_not_talked_to(tmp_path: Path) -> None:
    servicer = Keys()
    async with serving(tmp_path, servicer) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.person("auditor"), role="scanner")
    assert (refusal.kind, servicer.seen) == (Kind.UNAVAILABLE, [])


async def test_a_refusal_arrives_as_it_was_raised(tmp_path: Path) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.person("auditor"), "rusted")
    assert (refusal.kind, refusal.reason, refusal.message, refusal.metadata) == (
        Kind.FAILED_PRECONDITION,
        "KEY_RUSTED",
        "The key is rusted.",
        {"key": "rusted"},
    )


async def test_a_refusal_of_any_length_arrives(tmp_path: Path) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.person("auditor"), "endless")
    assert (refusal.kind, refusal.reason) == (Kind.FAILED_PRECONDITION, "KEY_RUSTED")
    assert refusal.message.endswith("(shortened)")
    assert refusal.metadata["key"].endswith("(shortened)")


async def test_a_defect_tells_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        refusal = await refused(address, tmp_path, AUTHORITY.person("auditor"), "broken")
    assert "secret" not in refusal.message
    assert refusal.reason == "INTERNAL"
    assert [record.message for record in caplog.records if record.exc_info] == ["call failed"]


async def test_work_beyond_the_default_deadline_ends(tmp_path: Path) -> None:
    servicer = Keys()
    async with (
        serving(tmp_path, servicer, deadline=0.05) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("auditor")) as opened,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await rpc.KeyServiceStub(opened).GetKey(pb.GetKeyRequest(name="slow"))
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_drain_lets_a_call_in_flight_finish(tmp_path: Path) -> None:
    servicer = Keys()
    async with (
        serving(tmp_path, servicer) as (server, address),
        channel(address, tmp_path, AUTHORITY.person("auditor")) as opened,
    ):
        running = asyncio.ensure_future(
            call(rpc.KeyServiceStub(opened).GetKey, pb.GetKeyRequest(name="slow"), timeout=10)
        )
        await servicer.entered.wait()
        stopping = asyncio.ensure_future(server.stop())
        servicer.leave.set()
        assert await running == pb.GetKeyResponse()
        await stopping


async def test_health_needs_a_certificate_and_no_permission(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, Keys()) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("admission")) as opened,
    ):
        answer = await check_health(opened)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_follows_the_named_checks_and_says_so_before_the_end(tmp_path: Path) -> None:
    wrong: list[str] = []
    health = Health({"store": lambda: wrong[0] if wrong else None})
    async with (
        serving(tmp_path, Keys(), health=health) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("admission")) as opened,
    ):
        told = aiter(watch_health(opened, SERVICE.full_name))
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.SERVING
        wrong.append("The disk is full.")
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert (await check_health(opened, SERVICE.full_name)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert (await check_health(opened)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        wrong.clear()
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.SERVING
        health.drain()
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert (await check_health(opened)).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_the_health_of_a_service_that_is_not_offered_is_not_known(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, Keys()) as (_, address),
        channel(address, tmp_path, AUTHORITY.person("admission")) as opened,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await check_health(opened, "hallmark.signer.v1.Nothing")
        told = aiter(watch_health(opened, "hallmark.signer.v1.Nothing"))
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_without_certificates_nothing_starts(tmp_path: Path) -> None:
    tls = AUTHORITY.write(AUTHORITY.service("signer"), tmp_path)
    missing = Tls(ca=tls.ca, certificate=tls.certificate, key=tmp_path / "absent.pem", trust_domain="test.example")
    with pytest.raises(ConfigError, match=r"absent\.pem.*mutual TLS"):
        await server_with(missing).start()


async def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    tls = AUTHORITY.write(AUTHORITY.service("signer"), tmp_path)
    tls.key.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        await server_with(tls).start()


async def test_a_taken_port_is_said_so(tmp_path: Path) -> None:
    async with serving(tmp_path, Keys()) as (_, address):
        second = server_with(AUTHORITY.write(AUTHORITY.service("signer"), tmp_path / "second"), address)
        with pytest.raises(ConfigError, match="taken"):
            await second.start()


def server_with(tls: Tls, address: str = "127.0.0.1:0") -> GrpcServer:
    settings = Server(address=address)
    return GrpcServer(settings=settings, tls=tls, area="signer", offered=[], metrics=CollectorRegistry())
