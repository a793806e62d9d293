"""The policy service as a process: settings, adapters, use cases, servicers, in this order."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from chassis.audit import AuditLog
from chassis.clock import SystemClock
from chassis.config import load
from chassis.database import open_database
from chassis.database_health import DatabaseHealth
from chassis.health import Health, operations
from chassis.http import HttpServer
from chassis.lifecycle import main, run
from chassis.logging import configure
from chassis.migrations import check_schema, migrate
from chassis.requests import Requests
from chassis.roles import Roles
from chassis.server import GrpcServer, Offered
from chassis.watch import Notifier
from hallmark.policy.v1 import (
    decision_service_pb2,
    decision_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
)
from prometheus_client import CollectorRegistry

from policy.activations import Activations
from policy.config import Settings
from policy.decisions import DecisionLog, Retention
from policy.metrics import Metrics
from policy.revisions import Revisions
from policy.servicers.decision_service import DecisionService
from policy.servicers.policy_service import PolicyService
from policy.store.sql import SqlStore

_SERVICE: Final = "policy"
_MIGRATIONS: Final = "policy.store.migrations"


async def serve(config: Path) -> None:
    """Serve until told to stop."""
    settings = load(Settings, config)
    configure(_SERVICE, settings.logging.level)
    registry, clock, notifier = CollectorRegistry(), SystemClock(), Notifier()
    database = open_database(settings.database, durable=True)
    try:
        await check_schema(database, _MIGRATIONS, _SERVICE)
        metrics = Metrics(registry)
        store = SqlStore(database, AuditLog(database, clock), notifier.notify)
        decisions = DecisionLog(store, clock, metrics)
        policies = PolicyService(
            revisions=Revisions(store, clock),
            activations=Activations(store, clock, metrics),
            once=Requests(database, clock),
            store=store,
            epoch=settings.store.epoch,
            notifier=notifier,
        )
        answering = DatabaseHealth(database)
        health = Health({"database": answering.problem})
        server = GrpcServer(
            settings=settings.server,
            tls=settings.tls,
            area=_SERVICE,
            offered=_offered(policies, DecisionService(decisions)),
            metrics=registry,
            roles=Roles(settings.bindings, settings.roles),
            health=health,
        )
        kept = Retention(timedelta(days=settings.decisions.retention_days), settings.decisions.most)
        await run(
            server=server,
            listeners=[HttpServer(operations(health, registry), settings.http.address)],
            health=health,
            tasks=[decisions.keep_swept(kept), answering.run()],
        )
    finally:
        await database.close()


def _offered(policies: PolicyService, decisions: DecisionService) -> list[Offered]:
    return [
        Offered(
            policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"],
            policy_service_pb2_grpc.add_PolicyServiceServicer_to_server,
            policies,
        ),
        Offered(
            decision_service_pb2.DESCRIPTOR.services_by_name["DecisionService"],
            decision_service_pb2_grpc.add_DecisionServiceServicer_to_server,
            decisions,
        ),
    ]


async def bring_up(config: Path) -> None:
    """Bring the database's schema up to date."""
    database = open_database(load(Settings, config).database, durable=True)
    try:
        await migrate(database, _MIGRATIONS)
    finally:
        await database.close()


if __name__ == "__main__":
    main(_SERVICE, serve, bring_up)
