"""The whole matrix role x RPC x scope, over real connections: who gets in, and narrowed to what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import hallmark
import pytest
from chassis.config import Binding, Server
from chassis.identity import Scope, current_caller
from chassis.permissions import ROLES
from chassis.roles import Roles
from chassis.server import GrpcServer, Offered
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority, Issued

AUTHORITY = Authority()
WIRE = Path(str(hallmark.__file__)).parent


def named(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS = named(
    """
    GetScan WatchScan ListScans ExportScan GetTarget ListTargets ListRepositories ListImages GetImage GetImageRisk
    BatchGetImageRisk ListFindings ListVulnerabilities GetVulnerability ListFeeds GetKey ListKeys ListKeyVersions
    GetSignature ListSignatures ListRevocations GetRevision ListRevisions ListActivePolicies ListDecisions
    SummarizeDecisions ExplainVerdict InspectSignatures
    """
)
MAY: dict[str, frozenset[str]] = {
    "developer": READS | {"ScanImage", "ScanArchive"},
    "reviewer": READS | {"SignImage", "CreateRevocation"},
    "custodian": READS | {"CreateKey", "UpdateKey", "RotateKey", "EnableKey", "DisableKey", "CreateRevocation"},
    "cluster-admin": READS | {"CreateRevision", "ActivateRevision", "RollBack"},
    "oncall": READS,
    "operator": READS
    | {
        "ScanImage",
        "ScanArchive",
        "CreateTarget",
        "RotateTargetToken",
        "UpdateTarget",
        "DeleteTarget",
        "ImportAdvisories",
        "ImportInventory",
    },
    "auditor": READS,
    "scanner": frozenset(),
    "signer": frozenset({"GetImageRisk", "BatchGetImageRisk"}),
    "policy": frozenset(),
    "verifier": named(
        """
        GetImageRisk BatchGetImageRisk WatchImageRisk WatchTrust GetSignature ListSignatures ListRevocations
        WatchPolicies RecordDecisions
        """
    ),
    "admission": frozenset({"VerifyImages", "ResolveImages"}),
    "stranger": frozenset(),
}
"""What each role may call. A new RPC is entered here on purpose."""

KEYS, REPOSITORIES = ("pay-*",), ("reg.example.com/pay/**",)
NARROWED = Scope(keys=KEYS, repositories=REPOSITORIES, clusters=())


def services() -> list[ServiceDescriptor]:
    found: list[ServiceDescriptor] = []
    for file in sorted(WIRE.rglob("*_service_pb2.py")):
        module = import_module(".".join(("hallmark", *file.relative_to(WIRE).with_suffix("").parts)))
        found += module.DESCRIPTOR.services_by_name.values()
    return found


SERVICES = services()
METHODS = [method for service in SERVICES for method in service.methods]
HANDLERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
CALLS = {(False, False): "unary_unary", (False, True): "unary_stream", (True, False): "stream_unary"}


class Gate:
    """Notes the scope of whom the chassis lets in."""

    def __init__(self) -> None:
        self.passed: list[Scope] = []

    def handler(self, method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
        answer = GetMessageClass(method.output_type)

        async def one(request: Any, context: Any) -> Any:
            self.passed.append(current_caller().scope)
            return answer()

        async def many(request: Any, context: Any) -> AsyncIterator[Any]:
            self.passed.append(current_caller().scope)
            yield answer()

        made = HANDLERS[method.client_streaming, method.server_streaming]
        behaviour: Any = many if method.server_streaming else one
        handler: grpc.RpcMethodHandler[Any, Any] = made(
            behaviour, GetMessageClass(method.input_type).FromString, answer.SerializeToString
        )
        return handler

    def offered(self, service: ServiceDescriptor) -> Offered:
        handlers = {method.name: self.handler(method) for method in service.methods}

        def register(_: object, server: grpc.aio.Server) -> None:
            server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service.full_name, handlers)])

        return Offered(service, register, self)


@asynccontextmanager
async def gate(folder: Path, roles: Roles) -> AsyncIterator[tuple[Gate, str]]:
    """Every RPC of every service, behind one server."""
    behind = Gate()
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", drain=1.0),
        tls=AUTHORITY.write(AUTHORITY.service("signer"), folder / "server"),
        area="signer",
        offered=[behind.offered(service) for service in SERVICES],
        metrics=CollectorRegistry(),
        roles=roles,
    )
    await server.start()
    try:
        yield behind, f"127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def passes(channel: grpc.aio.Channel, method: MethodDescriptor) -> bool:
    """Call an RPC; tell whether it was let in. Any other refusal than PERMISSION_DENIED is an error."""
    request = GetMessageClass(method.input_type)
    make = getattr(channel, CALLS[method.client_streaming, method.server_streaming])
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = make(path, request.SerializeToString, GetMessageClass(method.output_type).FromString)
    try:
        if method.server_streaming:
            async for _ in call(request(), timeout=20):
                pass
        else:
            await call([request()] if method.client_streaming else request(), timeout=20)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.PERMISSION_DENIED:
            return False
        raise
    return True


async def let_in(address: str, issued: Issued) -> frozenset[str]:
    async with AUTHORITY.channel(address, issued, "signer") as channel:
        return frozenset([method.name for method in METHODS if await passes(channel, method)])


def test_the_matrix_knows_every_role_and_every_rpc() -> None:
    assert set(MAY) == {*ROLES, "stranger"}
    assert {method.name for method in METHODS} == frozenset().union(*MAY.values())


@pytest.mark.parametrize("role", MAY)
async def test_each_role_may_call_what_it_may_and_nothing_else(tmp_path: Path, role: str) -> None:
    async with gate(tmp_path, Roles()) as (behind, address):
        assert await let_in(address, AUTHORITY.person(role)) == MAY[role]
        assert behind.passed == [Scope()] * len(MAY[role])


@pytest.mark.parametrize("role", ROLES)
async def test_a_binding_narrows_every_rpc_of_its_role_and_shuts_the_unbound_out(tmp_path: Path, role: str) -> None:
    binding = Binding(role=role, name="ann", keys=KEYS, repositories=REPOSITORIES, clusters=())
    async with gate(tmp_path, Roles([binding])) as (behind, address):
        assert await let_in(address, AUTHORITY.person(role, "ann")) == MAY[role]
        assert behind.passed == [NARROWED] * len(MAY[role])
        assert await let_in(address, AUTHORITY.person(role, "bob")) == frozenset()
        other = "auditor" if role != "auditor" else "developer"
        assert await let_in(address, AUTHORITY.person(other, "bob")) == MAY[other]


async def test_a_configured_table_counts_for_every_rpc(tmp_path: Path) -> None:
    roles = Roles(changes={"developer": (), "release-bot": ("signer.images.sign",)})
    async with gate(tmp_path, roles) as (_, address):
        assert await let_in(address, AUTHORITY.person("developer")) == frozenset()
        assert await let_in(address, AUTHORITY.person("release-bot")) == {"SignImage"}
        assert await let_in(address, AUTHORITY.person("reviewer")) == MAY["reviewer"]
