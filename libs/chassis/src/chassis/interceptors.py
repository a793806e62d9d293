"""What happens around every method: correlation id, caller, permission, deadline, metrics, errors."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import grpc.aio
from grpc_status import rpc_status

from chassis.client import CORRELATION
from chassis.errors import DeadlineExceeded, PermissionDenied, Refusal, Unauthenticated, Unavailable
from chassis.identity import CALLER, CORRELATION_ID, Caller, identity_of
from chassis.metrics import CallMetrics
from chassis.roles import Roles
from chassis.statuses import status_of

log = logging.getLogger(__name__)

OPEN: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""The services that need a certificate and no permission."""
_MARGIN: Final = 0.02
_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class TooLate(DeadlineExceeded):
    """The deadline leaves no time to do the work."""


class ShuttingDown(Unavailable):
    """The service stops; another instance, or this one in a moment, takes the stream up again."""


class Endless:
    """The streams without a deadline that are open now."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Task[Any]] = set()
        self._ended = asyncio.Event()

    async def each(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass on what a stream gives. Raises ShuttingDown once `end` was called."""
        while not self._ended.is_set():
            try:
                yield await self._next(stream)
            except StopAsyncIteration:
                return
        raise ShuttingDown("The service shuts down; open the stream again.")

    async def _next(self, stream: AsyncIterator[Any]) -> Any:
        # Only a task that waits for the servicer is cancelled: one that waits for grpc to send would never answer.
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is served within a task")
        self._waiting.add(task)
        try:
            return await anext(stream)
        except asyncio.CancelledError:
            if not self._ended.is_set():
                raise
            task.uncancel()
            raise ShuttingDown("The service shuts down; open the stream again.") from None
        finally:
            self._waiting.discard(task)

    def end(self) -> None:
        """End them all, and any that comes."""
        self._ended.set()
        for task in self._waiting:
            task.cancel()


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """What calls are judged by. `permissions` are by the full names of RPCs; `default_deadline` is in seconds."""

    area: str
    trust_domain: str
    roles: Roles
    permissions: Mapping[str, str]
    default_deadline: float
    metrics: CallMetrics
    endless: Endless = field(default_factory=Endless)

    def admit(self, method: str, context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
        """Authenticate the caller of a method and check its permission. Raises Unauthenticated, PermissionDenied."""
        certificate = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
        if certificate is None:
            raise Unauthenticated("A certificate is needed to call this service.")
        caller = self.roles.caller(self.trust_domain, *identity_of(certificate, self.trust_domain))
        if not method.startswith(OPEN):
            needed = self.permissions.get(method)
            if needed is None:
                raise PermissionDenied("This method states no permission, so nobody has it.")
            caller.demand(needed)
        return caller

    def seconds(self, context: grpc.aio.ServicerContext[Any, Any]) -> float:
        """The time that a call has, less a margin for the answer's way back. Raises TooLate."""
        left = context.time_remaining()
        given = self.default_deadline if left is None else left - _MARGIN
        if given <= 0:
            raise TooLate("The deadline leaves no time to answer; give the call more.")
        return given


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every method of a server."""

    def __init__(self, gatehouse: Gatehouse) -> None:
        self._gatehouse = gatehouse

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Put the wrapped method in the place of the method."""
        handler = await continuation(details)
        if handler is None:
            return handler
        call = _Call(self._gatehouse, details.method, _correlation(details))
        make, inner = _streaming(handler) if handler.response_streaming else _single(handler)
        wrapped = call.stream(inner) if handler.response_streaming else call.answer(inner)
        made: grpc.RpcMethodHandler[Any, Any] = make(wrapped, handler.request_deserializer, handler.response_serializer)
        return made


def _single(handler: Any) -> tuple[Any, Any]:
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler, handler.stream_unary
    return grpc.unary_unary_rpc_method_handler, handler.unary_unary


def _streaming(handler: Any) -> tuple[Any, Any]:
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler, handler.stream_stream
    return grpc.unary_stream_rpc_method_handler, handler.unary_stream


def _correlation(details: grpc.HandlerCallDetails) -> str:
    for key, value in details.invocation_metadata or ():
        if key == CORRELATION and isinstance(value, str) and _ACCEPTABLE_ID.fullmatch(value):
            return value
    return secrets.token_hex(8)


class _Call:
    """One call of one method."""

    def __init__(self, gatehouse: Gatehouse, method: str, correlation: str) -> None:
        self._gatehouse = gatehouse
        self._method = method
        self._correlation = correlation

    def answer(self, inner: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        """Wrap a method that gives one answer."""

        async def wrapped(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            start = time.monotonic()
            try:
                self._enter(context)
                given = await self._in_time(self._gatehouse.seconds(context), inner(request, context))
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets a status
                await self._abort(context, error, start)
            else:
                self._gatehouse.metrics.observe(self._method, "OK", time.monotonic() - start)
                return given

        return wrapped

    def stream(self, inner: Callable[[Any, Any], AsyncIterator[Any]]) -> Callable[[Any, Any], AsyncIterator[Any]]:
        """Wrap a method that gives a stream of answers; it may last longer than the default deadline."""

        async def wrapped(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            start = time.monotonic()
            try:
                self._enter(context)
                if not self._method.startswith(OPEN):
                    self._gatehouse.seconds(context)
                given = inner(request, context)
                endless = self._gatehouse.endless if context.time_remaining() is None else None
                async for one in endless.each(given) if endless else given:
                    yield one
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets a status
                await self._abort(context, error, start)
            else:
                self._gatehouse.metrics.observe(self._method, "OK", time.monotonic() - start)

        return wrapped

    @staticmethod
    async def _in_time(seconds: float, work: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(seconds) as limit:
                return await work
        except TimeoutError:
            if limit.expired():
                raise TooLate("The work took longer than the deadline allows.") from None
            raise  # a time limit of the work itself, which it ought to have named

    def _enter(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        CORRELATION_ID.set(self._correlation)
        context.set_trailing_metadata(((CORRELATION, self._correlation),))
        CALLER.set(self._gatehouse.admit(self._method, context))

    async def _abort(self, context: grpc.aio.ServicerContext[Any, Any], error: Exception, start: float) -> None:
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if not isinstance(error, Refusal):
            log.error("call failed", extra={"method": self._method}, exc_info=error)
        status = status_of(error, self._gatehouse.area, self._correlation)
        self._gatehouse.metrics.observe(self._method, status.name, time.monotonic() - start)
        sent = rpc_status.to_status(status.message)
        trailing = (*(sent.trailing_metadata or ()), (CORRELATION, self._correlation))
        await context.abort(sent.code, sent.details or "", trailing)
