"""The verifier as a process: settings, adapters, use cases, servicer, serve."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from chassis.client import open_channel
from chassis.clock import SystemClock
from chassis.config import load
from chassis.errors import Refusal
from chassis.health import Health, operations
from chassis.http import HttpServer
from chassis.lifecycle import main, run
from chassis.logging import configure
from chassis.roles import Roles
from chassis.server import GrpcServer, Offered
from chassis.workers import Workers
from hallmark.verifier.v1 import verifier_service_pb2, verifier_service_pb2_grpc
from prometheus_client import CollectorRegistry
from registry.client import RegistryClient

from verifier.clients.policy import DecisionLog, PolicyFeed
from verifier.clients.registry import Registries
from verifier.clients.scanner import ScannerFeed
from verifier.clients.signer import SignerFeed
from verifier.config import Settings
from verifier.decisions import DecisionBuffer
from verifier.evidence.attribution import Attribution
from verifier.evidence.lookups import Lookups
from verifier.evidence.reading import SignatureReader
from verifier.feeds import Feeds
from verifier.inspection import Inspection
from verifier.judging import Judge
from verifier.metrics import VerifierMetrics
from verifier.resolution import Resolution
from verifier.servicers.verifier_service import VerifierService
from verifier.verification import Verification

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """Everything that runs, put together."""

    feeds: Feeds
    following: tuple[PolicyFeed, SignerFeed, ScannerFeed]
    decisions: DecisionBuffer
    servicer: VerifierService
    opened: tuple[RegistryClient | grpc.aio.Channel, ...]
    workers: Workers

    async def drain(self) -> None:
        """Writes the decisions that wait, as far as the policy service takes them now, and closes what was opened."""
        try:
            await self.decisions.flush()
        except Refusal as refusal:
            log.warning("decisions lost", extra={"count": len(self.decisions), "reason": refusal.reason})
        await asyncio.gather(*(one.close() for one in self.opened))
        self.workers.close()


def assemble(settings: Settings, collected: CollectorRegistry) -> Process:
    """Names every concrete part. Raises ConfigError."""
    limits, upstreams, clock = settings.limits, settings.upstreams, SystemClock()
    metrics, workers = VerifierMetrics(collected), Workers(limits.threads)

    client = RegistryClient(settings.registries)
    registries = Registries(client, metrics)
    reader = SignatureReader(registries, workers, limits.lookup)
    lookups = Lookups(reader, clock, metrics, limits.evidence)
    attribution = Attribution(workers, metrics, limits.facts)

    to_policy = open_channel(upstreams.policy, settings.tls)
    to_signer = open_channel(upstreams.signer, settings.tls)
    to_scanner = open_channel(upstreams.scanner, settings.tls)
    policies = PolicyFeed(to_policy, upstreams.policy.epoch, clock)
    trust = SignerFeed(to_signer, upstreams.signer.epoch, clock, lookups.forget)
    risk = ScannerFeed(to_scanner, upstreams.scanner.epoch, clock)
    decisions = DecisionBuffer(DecisionLog(to_policy, upstreams.policy.timeout), metrics, limits.decisions)

    feeds = Feeds(policies, trust, risk, limits.stale_after)
    servicer = VerifierService(
        Verification(Judge(feeds, registries, lookups, attribution, clock), decisions, metrics, clock),
        Resolution(feeds, registries),
        Inspection(feeds, registries, reader, attribution, clock),
        limits.call,
    )
    for name, feed in (("policy", policies), ("trust", trust), ("risk", risk)):
        metrics.gauge(f"{name}_age_seconds", f"Seconds since the {name} stream last spoke.", feed.age)
    metrics.gauge("evidence_bytes", "Signatures remembered, about.", lambda: lookups.weight)
    metrics.gauge("evidence_facts", "Pairs of a signature and a key remembered.", lambda: len(attribution))
    metrics.gauge("decisions_waiting", "Decisions that wait for the decision log.", lambda: len(decisions))
    opened = (client, to_policy, to_signer, to_scanner)
    return Process(feeds, (policies, trust, risk), decisions, servicer, opened, workers)


async def serve(path: Path) -> None:
    """Serve until told to stop. Raises ConfigError."""
    settings, collected = load(Settings, path), CollectorRegistry()
    configure("verifier", settings.logging.level)
    process = assemble(settings, collected)
    health = Health(process.feeds.problems())
    await run(
        server=GrpcServer(
            settings=settings.server,
            tls=settings.tls,
            area="verifier",
            offered=[
                Offered(
                    verifier_service_pb2.DESCRIPTOR.services_by_name["VerifierService"],
                    verifier_service_pb2_grpc.add_VerifierServiceServicer_to_server,
                    process.servicer,
                )
            ],
            metrics=collected,
            roles=Roles(settings.bindings, settings.roles),
            health=health,
        ),
        listeners=[HttpServer(operations(health, collected), settings.http.address)],
        health=health,
        tasks=[*(feed.run() for feed in process.following), process.decisions.run()],
        drain=process.drain,
    )


async def migrate(path: Path) -> None:
    """Checks the settings alone: the verifier keeps no database. Raises ConfigError."""
    load(Settings, path)


if __name__ == "__main__":
    main("verifier", serve, migrate)
