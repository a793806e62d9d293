"""Policy service, signer and scanner as a verifier meets them: real gRPC servers over mutual TLS, records in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio
from chassis.config import Server, Upstream
from chassis.server import GrpcServer, Offered
from chassis.watch import Notifier, Position, serve
from google.protobuf.descriptor import FileDescriptor
from hallmark.policy.v1 import decision_pb2, decision_service_pb2, revision_pb2
from hallmark.policy.v1 import policy_service_pb2 as policy_pb
from hallmark.scanner.v1 import image_service_pb2 as image_pb
from hallmark.scanner.v1 import risk_pb2
from hallmark.signer.v1 import key_service_pb2 as key_pb
from hallmark.signer.v1 import trust_pb2
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority

Record = TypeVar("Record")
Context = grpc.aio.ServicerContext[Any, Any]


class Told(Generic[Record]):
    """A stream's records in the order in which they were told; nothing is ever replaced."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.notifier = Notifier()

    def tell(self, *records: Record) -> None:
        """Tells more."""
        self.records += records
        self.notifier.notify()

    async def position(self) -> Position:
        return Position(1, len(self.records))

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[Record]]]:
        async def batches() -> AsyncIterator[Sequence[Record]]:
            if self.records:
                yield tuple(self.records)

        return await self.position(), batches()

    async def changes(self, after: int) -> Sequence[tuple[int, Record]]:
        return list(enumerate(self.records, 1))[after:]


class FakePolicy:
    """WatchPolicies and RecordDecisions."""

    def __init__(self) -> None:
        self.told = Told[revision_pb2.PolicyRecord]()
        self.decisions: list[decision_pb2.Decision] = []
        self.recorded = asyncio.Event()

    async def WatchPolicies(  # noqa: N802
        self, request: policy_pb.WatchPoliciesRequest, context: Context
    ) -> AsyncIterator[policy_pb.WatchPoliciesResponse]:
        async for head, records in serve(self.told, request.resume_token, self.told.notifier):
            yield policy_pb.WatchPoliciesResponse(head=head, records=records)

    async def RecordDecisions(  # noqa: N802
        self, request_iterator: AsyncIterator[decision_service_pb2.RecordDecisionsRequest], context: Context
    ) -> decision_service_pb2.RecordDecisionsResponse:
        async for request in request_iterator:
            self.decisions += request.decisions
        self.recorded.set()
        return decision_service_pb2.RecordDecisionsResponse(recorded=len(self.decisions))


class FakeSigner:
    """WatchTrust."""

    def __init__(self) -> None:
        self.told = Told[trust_pb2.TrustRecord]()

    async def WatchTrust(  # noqa: N802
        self, request: key_pb.WatchTrustRequest, context: Context
    ) -> AsyncIterator[key_pb.WatchTrustResponse]:
        async for head, records in serve(self.told, request.resume_token, self.told.notifier):
            yield key_pb.WatchTrustResponse(head=head, records=records)


class FakeScanner:
    """WatchImageRisk."""

    def __init__(self) -> None:
        self.told = Told[risk_pb2.RiskRecord]()

    async def WatchImageRisk(  # noqa: N802
        self, request: image_pb.WatchImageRiskRequest, context: Context
    ) -> AsyncIterator[image_pb.WatchImageRiskResponse]:
        async for head, records in serve(self.told, request.resume_token, self.told.notifier):
            yield image_pb.WatchImageRiskResponse(head=head, records=records)


class Upstreams:
    """The three of them, serving."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self._authority = authority
        self._folder = folder
        self._running = AsyncExitStack()
        self.policy, self.signer, self.scanner = FakePolicy(), FakeSigner(), FakeScanner()
        self.addresses: dict[str, Upstream] = {}

    async def __aenter__(self) -> "Upstreams":
        watch_policies = grpc.unary_stream_rpc_method_handler(
            self.policy.WatchPolicies,
            policy_pb.WatchPoliciesRequest.FromString,
            policy_pb.WatchPoliciesResponse.SerializeToString,
        )
        record_decisions = grpc.stream_unary_rpc_method_handler(
            self.policy.RecordDecisions,
            decision_service_pb2.RecordDecisionsRequest.FromString,
            decision_service_pb2.RecordDecisionsResponse.SerializeToString,
        )
        watch_trust = grpc.unary_stream_rpc_method_handler(
            self.signer.WatchTrust, key_pb.WatchTrustRequest.FromString, key_pb.WatchTrustResponse.SerializeToString
        )
        watch_risk = grpc.unary_stream_rpc_method_handler(
            self.scanner.WatchImageRisk,
            image_pb.WatchImageRiskRequest.FromString,
            image_pb.WatchImageRiskResponse.SerializeToString,
        )
        await self._start(
            "policy",
            _offered(policy_pb.DESCRIPTOR, "PolicyService", "WatchPolicies", watch_policies),
            _offered(decision_service_pb2.DESCRIPTOR, "DecisionService", "RecordDecisions", record_decisions),
        )
        await self._start("signer", _offered(key_pb.DESCRIPTOR, "KeyService", "WatchTrust", watch_trust))
        await self._start("scanner", _offered(image_pb.DESCRIPTOR, "ImageService", "WatchImageRisk", watch_risk))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def _start(self, area: str, *offered: Offered) -> None:
        server = GrpcServer(
            settings=Server(address="127.0.0.1:0", drain=0.0),
            tls=self._authority.write(self._authority.service(area), self._folder / area),
            area=area,
            offered=offered,
            metrics=CollectorRegistry(),
        )
        await server.start()
        self._running.push_async_callback(server.stop)
        self.addresses[area] = Upstream(address=f"127.0.0.1:{server.port}", role=area)


def _offered(file: FileDescriptor, service: str, method: str, handler: Any) -> Offered:
    """A service with one of its methods alone."""
    descriptor = file.services_by_name[service]

    def register(_servicer: object, server: grpc.aio.Server) -> None:
        handlers = {method: handler}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(descriptor.full_name, handlers)])

    return Offered(descriptor, register, None)
