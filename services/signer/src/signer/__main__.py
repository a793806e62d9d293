"""The signer as a process: settings, adapters, use cases, servicers, serve. `migrate` prepares its database."""

from pathlib import Path
from typing import Final

from chassis import lifecycle, migrations
from chassis.audit import AuditLog
from chassis.client import open_channel
from chassis.clock import SystemClock
from chassis.config import ConfigError, load
from chassis.database import Database, open_database
from chassis.database_health import DatabaseHealth
from chassis.health import Health, operations
from chassis.http import HttpServer
from chassis.logging import configure
from chassis.requests import Requests
from chassis.roles import Roles
from chassis.server import GrpcServer, Offered
from chassis.watch import Notifier
from chassis.workers import Workers
from hallmark.signer.v1 import key_service_pb2, key_service_pb2_grpc, signing_service_pb2, signing_service_pb2_grpc
from prometheus_client import CollectorRegistry
from registry.client import RegistryClient
from sqlalchemy.engine import make_url

from signer.clients.registry import Registries
from signer.clients.scanner import Scanner
from signer.config import Settings
from signer.gatekeeping import Gatekeeper
from signer.images import Images
from signer.keyring import Keyring
from signer.keys.embedded import EmbeddedVault, new_seal
from signer.keys.secrets import KeySource
from signer.metrics import Metrics
from signer.publishing import Publisher
from signer.records import Records
from signer.revoking import Revoker
from signer.servicers.key_service import KeyService
from signer.servicers.signing_service import SigningService
from signer.signing import ImageSigner
from signer.store.seals import SealRows
from signer.store.sql import SqlStore
from signer.trust_source import TrustSource

_AREA: Final = "signer"
_MIGRATIONS: Final = "signer.store.migrations"
_THREADS: Final = 4


async def serve(config: Path) -> None:
    """Serve until told to stop."""
    settings = load(Settings, config)
    configure(_AREA, settings.logging.level)
    database = open_database(settings.database, durable=True)
    try:
        await migrations.check_schema(database, _MIGRATIONS, _AREA)
        await _serve(settings, database)
    finally:
        await database.close()


async def migrate(config: Path) -> None:
    """Bring the database's schema up to date."""
    database = open_database(load(Settings, config).database, durable=True)
    try:
        await migrations.migrate(database, _MIGRATIONS)
    finally:
        await database.close()


async def _serve(settings: Settings, database: Database) -> None:
    clock, registry, notifier = SystemClock(), CollectorRegistry(), Notifier()
    metrics = Metrics(registry)
    audit = AuditLog(database, clock)
    store = SqlStore(database, audit, notifier.notify)
    workers = Workers(_THREADS)
    vault = await _open_vault(settings, database, workers)
    scanner = open_channel(settings.upstreams.scanner, settings.tls)
    client = RegistryClient(settings.registries)
    registries = Registries(client)
    records, requests = Records(store), Requests(database, clock)
    signer = ImageSigner(
        store=store,
        vault=vault,
        images=Images(registries),
        gatekeeper=Gatekeeper(Scanner(scanner, settings.upstreams.scanner.timeout), clock, metrics),
        publisher=Publisher(registries),
        audit=audit,
        clock=clock,
        metrics=metrics,
    )
    trust = TrustSource(store, settings.store.epoch)
    keys = KeyService(Keyring(store, vault, clock, metrics), records, requests, trust, notifier)
    signing = SigningService(signer, Revoker(store, clock), records, requests, clock)
    answering = DatabaseHealth(database)
    health = Health({"database": answering.problem})
    server = GrpcServer(
        settings=settings.server,
        tls=settings.tls,
        area=_AREA,
        offered=_offered(keys, signing),
        metrics=registry,
        roles=Roles(settings.bindings, settings.roles),
        health=health,
    )
    try:
        listener = HttpServer(operations(health, registry), settings.http.address)
        await lifecycle.run(server=server, listeners=[listener], health=health, tasks=[answering.run()])
    finally:
        await client.close()
        await scanner.close()
        workers.close()


async def _open_vault(settings: Settings, database: Database, workers: Workers) -> EmbeddedVault:
    source = KeySource(settings.vault.secret_file, settings.vault.key_file, _directory(settings))
    if (source.secret_file is None) == (source.key_file is None):
        raise ConfigError("Set exactly one of vault.secret_file and vault.key_file; either protects the keys at rest.")
    seals = SealRows(database)
    seal = await seals.get()
    if seal is None:
        seal = await workers.run(new_seal, source)
        await seals.keep(seal)
    vault = await workers.run(EmbeddedVault.open, source, seal, workers)
    await vault.check()
    return vault


def _directory(settings: Settings) -> Path | None:
    """The directory of a database that is a file: what protects the keys may not lie beside them."""
    url = make_url(settings.database.url)
    return Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else None


def _offered(keys: KeyService, signing: SigningService) -> tuple[Offered, ...]:
    return (
        Offered(
            key_service_pb2.DESCRIPTOR.services_by_name["KeyService"],
            key_service_pb2_grpc.add_KeyServiceServicer_to_server,
            keys,
        ),
        Offered(
            signing_service_pb2.DESCRIPTOR.services_by_name["SigningService"],
            signing_service_pb2_grpc.add_SigningServiceServicer_to_server,
            signing,
        ),
    )


if __name__ == "__main__":
    lifecycle.main(_AREA, serve, migrate)
