"""Streams on a server that drains: what would never end is ended, and its reader told why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from chassis.client import open_channel, refusal_of
from chassis.config import Server, Upstream
from chassis.errors import Kind
from chassis.server import GrpcServer, Offered
from chassis.watch import Notifier, Position, serve
from hallmark.signer.v1 import key_service_pb2 as pb
from hallmark.signer.v1 import key_service_pb2_grpc as rpc
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority

AUTHORITY = Authority()
SERVICE = pb.DESCRIPTOR.services_by_name["KeyService"]


class Empty:
    """A source that holds nothing."""

    async def position(self) -> Position:
        return Position(1, 1)

    async def snapshot(self) -> tuple[Position, AsyncIterator[list[str]]]:
        async def nothing() -> AsyncIterator[list[str]]:
            yield []

        return Position(1, 1), nothing()

    async def changes(self, after: int) -> list[tuple[int, str]]:
        return []


async def watch(
    request: pb.WatchTrustRequest, context: grpc.aio.ServicerContext[pb.WatchTrustRequest, pb.WatchTrustResponse]
) -> AsyncIterator[pb.WatchTrustResponse]:
    async for head, _ in serve(Empty(), request.resume_token, Notifier()):
        yield pb.WatchTrustResponse(head=head)


def register(_servicer: object, server: grpc.aio.Server) -> None:
    handler = grpc.unary_stream_rpc_method_handler(
        watch, pb.WatchTrustRequest.FromString, pb.WatchTrustResponse.SerializeToString
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE.full_name, {"WatchTrust": handler})])


async def test_a_drain_does_not_wait_for_a_stream_without_an_end(tmp_path: Path) -> None:
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", drain=60.0),
        tls=AUTHORITY.write(AUTHORITY.service("signer"), tmp_path / "server"),
        area="signer",
        offered=[Offered(SERVICE, register, object())],
        metrics=CollectorRegistry(),
    )
    await server.start()
    upstream = Upstream(address=f"127.0.0.1:{server.port}", role="signer")
    async with open_channel(upstream, AUTHORITY.write(AUTHORITY.service("verifier"), tmp_path / "client")) as channel:
        stream = aiter(rpc.KeyServiceStub(channel).WatchTrust(pb.WatchTrustRequest()))
        await anext(stream)
        async with asyncio.timeout(20):
            await server.stop()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            [answer async for answer in stream]
    assert "x-correlation-id" in dict(ended.value.trailing_metadata())
    refusal = refusal_of(ended.value)
    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "SHUTTING_DOWN")
