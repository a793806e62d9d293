"""The adapter as a process: settings, client, webhook, serve."""

from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from chassis.client import open_channel
from chassis.clock import SystemClock
from chassis.config import load
from chassis.health import Health, operations
from chassis.http import HttpServer
from chassis.lifecycle import main, run
from chassis.logging import configure
from prometheus_client import CollectorRegistry

from admission.certificates import Certificates
from admission.clients.reachability import Reachability
from admission.clients.verifier import RemoteVerifier
from admission.config import Settings
from admission.metrics import Metrics
from admission.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Process:
    """Everything that runs, put together."""

    webhook: HttpServer
    operations: HttpServer
    health: Health
    reachability: Reachability
    channel: grpc.aio.Channel


def assemble(settings: Settings) -> Process:
    """Name every concrete part. Raises ConfigError."""
    registry, clock = CollectorRegistry(), SystemClock()
    upstream, webhook = settings.upstreams.verifier, settings.webhook
    channel = open_channel(upstream, settings.tls)
    reachability = Reachability(channel, upstream.timeout)
    certificates = Certificates((webhook.certificate, settings.tls.certificate), clock)
    health = Health({"verifier": reachability.problem, "certificates": certificates.problem})
    application = Webhook(RemoteVerifier(channel), Metrics(registry), clock)
    return Process(
        webhook=HttpServer(
            application,
            webhook.address,
            certificate=webhook.certificate,
            key=webhook.key,
            client_ca=webhook.client_ca,
        ),
        operations=HttpServer(operations(health, registry), settings.http.address),
        health=health,
        reachability=reachability,
        channel=channel,
    )


async def serve(path: Path) -> None:
    """Serve until told to stop. Raises ConfigError."""
    settings = load(Settings, path)
    configure("admission", settings.logging.level)
    process = assemble(settings)
    try:
        await run(
            server=None,
            listeners=[process.webhook, process.operations],
            health=process.health,
            tasks=[process.reachability.run()],
        )
    finally:
        # Not before the last review in flight has had its answer.
        await process.channel.close()


async def migrate(path: Path) -> None:
    """Check the settings alone: the adapter keeps no database. Raises ConfigError."""
    load(Settings, path)


if __name__ == "__main__":
    main("admission", serve, migrate)
