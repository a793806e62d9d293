"""Follows the risk of images."""

from collections.abc import AsyncIterator, Sequence

import grpc.aio
from chassis.clock import Clock
from chassis.watch import Follower
from hallmark.common.v1.stream_pb2 import StreamHead
from hallmark.scanner.v1 import image_service_pb2 as pb
from hallmark.scanner.v1 import image_service_pb2_grpc as rpc

from verifier.clients.risk_records import decode_risk
from verifier.risk import RiskRecord, Risks


class ScannerFeed:
    """The RiskFeed of WatchImageRisk."""

    def __init__(self, channel: grpc.aio.Channel, epoch: int, clock: Clock) -> None:
        self._stub = rpc.ImageServiceStub(channel)
        self._risks = Risks()
        self._follower = Follower(
            name="risk", epoch=epoch, clock=clock, opened=self._opened, swap=self._swap, apply=self._apply
        )

    def current(self) -> Risks:
        """The risk of images as last told."""
        return self._risks

    def age(self) -> float:
        """Seconds since the scanner last spoke."""
        return self._follower.age()

    async def run(self) -> None:
        """Follows until cancelled."""
        await self._follower.run()

    async def _opened(self, token: str) -> AsyncIterator[tuple[StreamHead, Sequence[RiskRecord]]]:
        async for answer in self._stub.WatchImageRisk(pb.WatchImageRiskRequest(resume_token=token)):
            yield answer.head, [decode_risk(record) for record in answer.records]

    def _swap(self, records: Sequence[RiskRecord]) -> None:
        self._risks = Risks(records)

    def _apply(self, records: Sequence[RiskRecord]) -> None:
        for record in records:
            self._risks.apply(record)
