"""Follows the signer's keys, revocations and new signings."""

from collections.abc import AsyncIterator, Callable, Sequence

import grpc.aio
from chassis.clock import Clock
from chassis.watch import Follower
from hallmark.common.v1.stream_pb2 import StreamHead
from hallmark.signer.v1 import key_service_pb2 as pb
from hallmark.signer.v1 import key_service_pb2_grpc as rpc

from verifier.clients.trust_records import decode_trust
from verifier.trust import NewSigning, Trust, TrustRecord


class SignerFeed:
    """The TrustFeed of WatchTrust. `signed` hears of each new signing, as (repository, digests)."""

    def __init__(
        self, channel: grpc.aio.Channel, epoch: int, clock: Clock, signed: Callable[[str, Sequence[str]], None]
    ) -> None:
        self._stub = rpc.KeyServiceStub(channel)
        self._signed = signed
        self._trust = Trust()
        self._follower = Follower(
            name="trust", epoch=epoch, clock=clock, opened=self._opened, swap=self._swap, apply=self._apply
        )

    def current(self) -> Trust:
        """Keys and revocations as last told."""
        return self._trust

    def age(self) -> float:
        """Seconds since the signer last spoke."""
        return self._follower.age()

    async def run(self) -> None:
        """Follows until cancelled."""
        await self._follower.run()

    async def _opened(self, token: str) -> AsyncIterator[tuple[StreamHead, Sequence[TrustRecord]]]:
        async for answer in self._stub.WatchTrust(pb.WatchTrustRequest(resume_token=token)):
            yield answer.head, [decode_trust(record) for record in answer.records]

    def _swap(self, records: Sequence[TrustRecord]) -> None:
        self._trust = Trust(records)

    def _apply(self, records: Sequence[TrustRecord]) -> None:
        for record in records:
            self._trust.apply(record)
            if isinstance(record, NewSigning):
                self._signed(record.repository, record.digests)
