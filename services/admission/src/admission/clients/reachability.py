"""Whether the verifier can be reached, asked every few seconds over the channel that requests use."""

import asyncio
from typing import Final

import grpc.aio
from chassis.client import Method, RemoteRefusal, call
from grpc_health.v1 import health_pb2

_SECONDS: Final = 2.0


class Reachability:
    """The verifier's health as of the last time it was asked."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float) -> None:
        """`seconds` is how long to wait for an answer."""
        self._check: Method[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse] = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        self._seconds = seconds
        self._problem: str | None = "The verifier was not asked yet."

    def problem(self) -> str | None:
        """Why the verifier cannot be asked; None where it can."""
        return self._problem

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(_SECONDS)

    async def ask(self) -> None:
        """Ask once."""
        try:
            answer = await call(self._check, health_pb2.HealthCheckRequest(), timeout=self._seconds)
        except RemoteRefusal as refusal:
            self._problem = f"The verifier cannot be reached: {refusal.message[:500]}"
        else:
            serving = answer.status == health_pb2.HealthCheckResponse.SERVING
            self._problem = None if serving else "The verifier does not serve."
