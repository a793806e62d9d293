"""The policy service without its process: servicers over a database in a file."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc.aio
from chassis.audit import AuditLog
from chassis.database import Database, Settings, open_database
from chassis.identity import CALLER, Caller, Scope
from chassis.migrations import migrate
from chassis.requests import Requests
from chassis.watch import Notifier
from policy.activations import Activations
from policy.decisions import DecisionLog
from policy.metrics import Metrics
from policy.revisions import Revisions
from policy.servicers.decision_service import DecisionService
from policy.servicers.policy_service import PolicyService
from policy.store.sql import SqlStore
from prometheus_client import CollectorRegistry

from tests.fakes.clock import FakeClock

NO_CONTEXT = cast("grpc.aio.ServicerContext[Any, Any]", None)
"""The servicers of this service look at the request and the caller alone."""


@dataclass(frozen=True)
class Offices:
    """The servicers, and what stands behind them."""

    policies: PolicyService
    decisions: DecisionService
    log: DecisionLog
    database: Database
    clock: FakeClock
    metrics: CollectorRegistry

    def counted(self, name: str, **labels: str) -> float | None:
        """The value of a metric."""
        return self.metrics.get_sample_value(name, labels)


@asynccontextmanager
async def offices(folder: Path, epoch: int = 1) -> AsyncIterator[Offices]:
    """Open the service on the database in a folder, made where there is none."""
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{folder}/policy.db"), durable=True)
    try:
        await migrate(database, "policy.store.migrations")
        clock, notifier, registry = FakeClock(), Notifier(), CollectorRegistry()
        metrics = Metrics(registry)
        store = SqlStore(database, AuditLog(database, clock), notifier.notify)
        log = DecisionLog(store, clock, metrics)
        policies = PolicyService(
            revisions=Revisions(store, clock),
            activations=Activations(store, clock, metrics),
            once=Requests(database, clock),
            store=store,
            epoch=epoch,
            notifier=notifier,
        )
        yield Offices(policies, DecisionService(log), log, database, clock, registry)
    finally:
        await database.close()


@contextmanager
def acting(role: str = "cluster-admin", name: str = "ada", clusters: tuple[str, ...] | None = None) -> Iterator[Caller]:
    """Be this caller, narrowed to clusters where some are named."""
    caller = Caller("test.example", role, name, frozenset(), Scope(clusters=clusters))
    token = CALLER.set(caller)
    try:
        yield caller
    finally:
        CALLER.reset(token)
