"""Calling a neighbour: a channel to exactly that role, and refusals that arrive as they were raised."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.certificates import Renewed, read_authorities, read_pair
from chassis.channels import RenewedChannel
from chassis.config import Tls, Upstream
from chassis.errors import Kind, Refusal
from chassis.identity import correlation_id

CORRELATION = "x-correlation-id"
LARGEST_MESSAGE = 4 << 20

Request_contra = TypeVar("Request_contra", bound=Message, contravariant=True)
Response_co = TypeVar("Response_co", bound=Message, covariant=True)
Asked = TypeVar("Asked", bound=Message)
Answer = TypeVar("Answer", bound=Message)


class Method(Protocol[Request_contra, Response_co]):
    """A unary method of an asynchronous stub."""

    def __call__(
        self, request: Request_contra, *, timeout: float | None = ..., metadata: grpc.aio.Metadata | None = ...
    ) -> Awaitable[Response_co]:
        """Call the method."""
        ...


class RemoteRefusal(Refusal):
    """A neighbour's refusal: its kind, reason and sentence."""

    def __init__(self, kind: Kind, reason: str, message: str, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message, metadata=metadata)
        self.kind = kind  # type: ignore[misc]  # each refusal of a neighbour has the kind it came with
        self._reason = reason

    @property
    def reason(self) -> str:
        """The reason code that the neighbour gave; the name of the status where it gave none."""
        return self._reason


def open_channel(upstream: Upstream, tls: Tls) -> grpc.aio.Channel:
    """Open a channel that talks to nobody but this role. Raises ConfigError where the certificates cannot be used."""
    return RenewedChannel(Renewed((tls.ca, tls.key, tls.certificate), lambda: _opened(upstream, tls)))


def _opened(upstream: Upstream, tls: Tls) -> grpc.aio.Channel:
    certificate, key = read_pair(tls.certificate, tls.key)
    credentials = grpc.ssl_channel_credentials(read_authorities(tls.ca), key, certificate)
    options = [
        ("grpc.ssl_target_name_override", f"{upstream.role}.{tls.trust_domain}"),
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ("grpc.max_send_message_length", LARGEST_MESSAGE),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5_000),
    ]
    return grpc.aio.secure_channel(upstream.address, credentials, options=options)


async def call(method: Method[Asked, Answer], request: Asked, *, timeout: float) -> Answer:  # noqa: ASYNC109
    """Call a unary method within `timeout` seconds, under the correlation id of now. Raises RemoteRefusal."""
    try:
        return await method(request, timeout=timeout, metadata=correlation())
    except grpc.aio.AioRpcError as error:
        raise refusal_of(error) from error


def correlation() -> grpc.aio.Metadata:
    """The metadata that carries the correlation id on."""
    current = correlation_id()
    return grpc.aio.Metadata((CORRELATION, current)) if current else grpc.aio.Metadata()


def refusal_of(error: grpc.aio.AioRpcError) -> RemoteRefusal:
    """Read the refusal that a status carries. What is no refusal of a neighbour is UNAVAILABLE: could not tell."""
    name = error.code().name
    kind = Kind[name] if name in Kind.__members__ else Kind.UNAVAILABLE
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # an AioRpcError answers the same questions as a Call
    for detail in status.details if status else ():
        detail.Unpack(info)
    return RemoteRefusal(kind, info.reason or name, error.details() or "", dict(info.metadata))
