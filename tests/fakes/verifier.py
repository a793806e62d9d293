"""A verifier over real mutual TLS that answers what it is told to, as the adapter's neighbour."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from chassis.config import Server
from chassis.identity import current_caller
from chassis.server import GrpcServer, Offered
from hallmark.verifier.v1 import verdict_pb2
from hallmark.verifier.v1 import verifier_service_pb2 as pb
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority
from tests.fakes.servicers import offering

Context = grpc.aio.ServicerContext[Any, Any]
_SERVICE = pb.DESCRIPTOR.services_by_name["VerifierService"]
DIGEST = "sha256:" + "e" * 64


class FakeVerifier:
    """Admits what is in `good`; says nothing at all while `silent` is set."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.silent = False
        self.answers: list[verdict_pb2.Verdict] | None = None
        self.requests: list[pb.VerifyImagesRequest] = []
        self.callers: list[str] = []
        self.address = ""

    async def verify(self, request: pb.VerifyImagesRequest, context: Context) -> pb.VerifyImagesResponse:
        """Judge by the list."""
        self.requests.append(request)
        self.callers.append(current_caller().spiffe_id)
        if self.silent:
            await asyncio.Event().wait()
        given = [self._verdict(one) for one in request.images] if self.answers is None else self.answers
        return pb.VerifyImagesResponse(verdicts=given)

    async def resolve(self, request: pb.ResolveImagesRequest, context: Context) -> pb.ResolveImagesResponse:
        """Find one digest behind every tag."""
        found = [pb.ResolvedImage(image=image, pinned=f"{image}@{DIGEST}") for image in request.images]
        return pb.ResolveImagesResponse(images=found)

    def _verdict(self, named: pb.NamedImage) -> verdict_pb2.Verdict:
        admitted = named.image in self.good
        return verdict_pb2.Verdict(
            image=named.image,
            found_at=named.found_at,
            outcome=verdict_pb2.OUTCOME_ALLOW if admitted else verdict_pb2.OUTCOME_DENY,
            effect=verdict_pb2.EFFECT_ADMIT if admitted else verdict_pb2.EFFECT_REJECT,
            message=f"Image {named.image!a} is {'allowed' if admitted else 'denied'} by rule 'payments'.",
        )


@asynccontextmanager
async def fake_verifier(authority: Authority, folder: Path) -> AsyncIterator[FakeVerifier]:
    """Serve on a free port until the block ends."""
    servicer = FakeVerifier()
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", drain=0.0),
        tls=authority.write(authority.service("verifier"), folder),
        area="verifier",
        offered=[
            Offered(
                _SERVICE,
                lambda given, to: to.add_generic_rpc_handlers(
                    [offering(_SERVICE, VerifyImages=given.verify, ResolveImages=given.resolve)]
                ),
                servicer,
            )
        ],
        metrics=CollectorRegistry(),
    )
    await server.start()
    servicer.address = f"127.0.0.1:{server.port}"
    try:
        yield servicer
    finally:
        await server.stop()
