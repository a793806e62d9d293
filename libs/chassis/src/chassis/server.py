"""The gRPC server of a service: mutual TLS or nothing, health and reflection beside the offered services."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from chassis.certificates import Renewed, read_authorities, read_pair
from chassis.client import LARGEST_MESSAGE
from chassis.config import ConfigError, Server, Tls
from chassis.health import Health, HealthService
from chassis.interceptors import Gatehouse, Interceptor
from chassis.metrics import CallMetrics
from chassis.permissions import permission_of
from chassis.roles import Roles

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_connection_age_ms", 13 * 60_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    # Clients ping a quiet connection each 30 seconds; the default would cut them off for doing so.
    ("grpc.http2.min_ping_interval_without_data_ms", 15_000),
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A gRPC service that a process offers: its descriptor, the generated function that adds it, and its servicer."""

    descriptor: ServiceDescriptor
    register: Callable[[Any, grpc.aio.Server], None]
    servicer: object


class GrpcServer:
    """Offers services to callers with certificates. Raises ConfigError where it may not or cannot start."""

    def __init__(
        self,
        *,
        settings: Server,
        tls: Tls,
        area: str,
        offered: Sequence[Offered],
        metrics: CollectorRegistry,
        roles: Roles | None = None,
        health: Health | None = None,
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._health = health or Health({})
        names = [service.descriptor.full_name for service in offered]
        self._gatehouse = Gatehouse(
            area=area,
            trust_domain=tls.trust_domain,
            roles=roles or Roles(),
            permissions=permissions_of(service.descriptor for service in offered),
            default_deadline=settings.default_deadline,
            metrics=CallMetrics(metrics, area),
        )
        self._server = grpc.aio.server(
            interceptors=[Interceptor(self._gatehouse)], options=_OPTIONS, maximum_concurrent_rpcs=settings.most_calls
        )
        health_pb2_grpc.add_HealthServicer_to_server(HealthService(self._health, names), self._server)
        reflection.enable_server_reflection([*names, SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        for service in offered:
            service.register(service.servicer, self._server)
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` says where. Raises ConfigError where certificates cannot be used or the port is taken."""
        files = (self._tls.ca, self._tls.key, self._tls.certificate)
        certificates = Renewed(files, lambda: _certificates(self._tls))
        # At each handshake it is asked what is shown: a replaced certificate counts without a restart.
        credentials = grpc.dynamic_ssl_server_credentials(certificates.current(), certificates.current, True)
        try:
            self.port = self._server.add_secure_port(self._settings.address, credentials)
        except RuntimeError:
            raise ConfigError(
                f"The address {self._settings.address} cannot be listened on: it is taken by another process, or not"
                " of this machine. Stop that process, or set `address` in [server]."
            ) from None
        await self._server.start()

    async def stop(self) -> None:
        """Say NOT_SERVING, take no new call, let those in flight finish within the drain time, then end.

        Streams without a deadline, which would never finish, are ended at once; their readers resume elsewhere.
        """
        self._health.drain()
        self._gatehouse.endless.end()
        await self._server.stop(self._settings.drain)


def _certificates(tls: Tls) -> grpc.ServerCertificateConfiguration:
    certificate, key = read_pair(tls.certificate, tls.key)
    return grpc.ssl_server_certificate_configuration([(key, certificate)], read_authorities(tls.ca))


def permissions_of(descriptors: Iterable[ServiceDescriptor]) -> dict[str, str]:
    """The permission of each RPC by its full name. Raises ConfigError for one that states none."""
    found = {}
    for descriptor in descriptors:
        for method in descriptor.methods:
            stated = permission_of(method)
            if not stated:
                raise ConfigError(f"The RPC {method.full_name} states no permission in its proto; it is not offered.")
            found[f"/{descriptor.full_name}/{method.name}"] = stated
    return found
