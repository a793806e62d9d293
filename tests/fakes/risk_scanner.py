"""A scanner that a signer can ask: real gRPC over mutual TLS, with the risk that a test says."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from chassis.config import Server
from chassis.server import GrpcServer, Offered
from hallmark.scanner.v1 import image_service_pb2 as pb
from hallmark.scanner.v1 import image_service_pb2_grpc as rpc
from hallmark.scanner.v1 import risk_pb2
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority

FEEDS = "Debian:12"


class RiskScanner(rpc.ImageServiceServicer):
    """Answers BatchGetImageRisk: SCANNED by fresh feeds for the digests it was told of, NOT_SCANNED otherwise."""

    def __init__(self) -> None:
        self.address = ""
        self.feeds_too_old = False
        self.risks: dict[str, risk_pb2.ImageRisk] = {}

    def scanned(self, digests: Iterable[str], **fields: Any) -> None:
        """Say that images were scanned; `fields` are those of ImageRisk."""
        for digest in digests:
            risk = risk_pb2.ImageRisk(state=risk_pb2.IMAGE_RISK_STATE_SCANNED, scan_id="scan-1", feed_set_id=FEEDS)
            risk.MergeFrom(risk_pb2.ImageRisk(**fields))
            self.risks[digest] = risk

    async def BatchGetImageRisk(  # noqa: N802
        self, request: pb.BatchGetImageRiskRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.BatchGetImageRiskResponse:
        """Answer in the order of the request."""
        feeds = risk_pb2.FeedSet(feed_set_id=FEEDS, too_old=self.feeds_too_old)
        feeds.as_of.GetCurrentTime()
        return pb.BatchGetImageRiskResponse(image_risks=map(self._risk, request.requests), feed_sets=[feeds])

    def _risk(self, asked: pb.GetImageRiskRequest) -> risk_pb2.ImageRisk:
        unknown = risk_pb2.ImageRisk(state=risk_pb2.IMAGE_RISK_STATE_NOT_SCANNED)
        risk = risk_pb2.ImageRisk(repository=asked.repository, digest=asked.digest)
        risk.MergeFrom(self.risks.get(asked.digest, unknown))
        return risk


@asynccontextmanager
async def risk_scanner(authority: Authority, folder: Path) -> AsyncIterator[RiskScanner]:
    """Serve one on a free port."""
    scanner = RiskScanner()  # type: ignore[abstract]  # a signer asks for no more
    server = GrpcServer(
        settings=Server(address="127.0.0.1:0", drain=0.1),
        tls=authority.write(authority.service("scanner"), folder),
        area="scanner",
        offered=[
            Offered(pb.DESCRIPTOR.services_by_name["ImageService"], rpc.add_ImageServiceServicer_to_server, scanner)
        ],
        metrics=CollectorRegistry(),
    )
    await server.start()
    scanner.address = f"127.0.0.1:{server.port}"
    try:
        yield scanner
    finally:
        await server.stop()
