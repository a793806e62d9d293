"""Health: what a process says of itself, to gRPC's health checks and in plain HTTP: /livez, /readyz and /metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, Final

import grpc
import grpc.aio
import msgspec
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from chassis.http import Application, Receive, Scope, Send, answer

_LOOK_SECONDS: Final = 0.2
Check = Callable[[], str | None]
"""Tells in a sentence what is wrong; None where nothing is."""


class Health:
    """Ready when every named check has nothing to say, and the process does not drain."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._draining = False

    def drain(self) -> None:
        """Be ready no more."""
        self._draining = True

    def problems(self) -> dict[str, str]:
        """What is wrong, by the name of the check."""
        found = {"process": "It is shutting down."} if self._draining else {}
        for name, check in self._checks.items():
            problem = check()
            if problem is not None:
                found[name] = problem
        return found


class HealthService(health_pb2_grpc.HealthServicer):
    """grpc.health.v1: the process as a whole and each service that it offers serve while nothing is wrong."""

    def __init__(self, health: Health, services: Collection[str]) -> None:
        self._health = health
        self._services = frozenset(("", *services))

    async def Check(  # noqa: N802  # the RPC's name
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> health_pb2.HealthCheckResponse:
        """Say whether a service serves; NOT_FOUND for one that is not offered."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "This process offers no such service.")
        return self._answer(request.service)

    async def Watch(  # noqa: N802  # the RPC's name
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Say whether a service serves, now and whenever that changes."""
        said = None
        while True:
            answer = self._answer(request.service)
            if answer != said:
                yield answer
            said = answer
            await asyncio.sleep(_LOOK_SECONDS)

    def _answer(self, service: str) -> health_pb2.HealthCheckResponse:
        if service not in self._services:
            return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        serves = not self._health.problems()
        status = health_pb2.HealthCheckResponse.SERVING if serves else health_pb2.HealthCheckResponse.NOT_SERVING
        return health_pb2.HealthCheckResponse(status=status)


def operations(health: Health, metrics: CollectorRegistry) -> Application:
    """The application behind a service's operations address."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # the form of ASGI
        match scope["type"], scope.get("path"):
            case "http", "/livez":
                await answer(send, 200, b"alive\n", "text/plain")
            case "http", "/readyz":
                problems = health.problems()
                await answer(send, 503 if problems else 200, msgspec.json.encode(problems), "application/json")
            case "http", "/metrics":
                await answer(send, 200, generate_latest(metrics), CONTENT_TYPE_LATEST)
            case "http", _:
                await answer(send, 404, b"There is /livez, /readyz and /metrics.\n", "text/plain")

    return application
