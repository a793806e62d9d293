"""The scanner as a process: settings, adapters, use cases, servicers, serve. `migrate` prepares its database."""

from pathlib import Path
from typing import Final

from chassis import lifecycle, migrations
from chassis.audit import AuditLog
from chassis.clock import SystemClock
from chassis.config import load
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
from hallmark.scanner.v1 import (
    advisory_service_pb2,
    advisory_service_pb2_grpc,
    finding_service_pb2,
    finding_service_pb2_grpc,
    image_service_pb2,
    image_service_pb2_grpc,
    scan_service_pb2,
    scan_service_pb2_grpc,
    target_service_pb2,
    target_service_pb2_grpc,
)
from prometheus_client import CollectorRegistry
from registry.client import RegistryClient

from scanner.archives.shelf import Shelf
from scanner.claiming import InventoryImporter
from scanner.clients.registry import ClientRegistry
from scanner.config import Settings
from scanner.events import Events
from scanner.exports import Exporter
from scanner.freshness import FreshnessKeeper
from scanner.imports import Importer
from scanner.inventory.taking import ANALYZERS
from scanner.layers.cache import LayerCache
from scanner.metrics import ScanMetrics
from scanner.progress import Board
from scanner.pulling.attached import AttachedDocuments
from scanner.pulling.reading import ImageReader
from scanner.pulling.sharing import SharedLayers
from scanner.risk_source import RiskSource
from scanner.runner import Runner
from scanner.scans import ScanDesk
from scanner.searching import Searcher
from scanner.servicers.advisory_service import AdvisoryService
from scanner.servicers.finding_service import FindingService
from scanner.servicers.image_service import ImageService
from scanner.servicers.push_events import push_events
from scanner.servicers.scan_service import ScanService
from scanner.servicers.target_service import TargetService
from scanner.store.database import DatabaseStore
from scanner.targets import TargetDesk
from scanner.uploads import ArchiveDesk
from scanner.viewing import Viewer

_AREA: Final = "scanner"
_MIGRATIONS: Final = "scanner.store.migrations"
_BESIDES: Final = 2
"""Threads beside those that read layers or take in archives: for imports of advisories, and for reading archives back,
which readers of layers wait for.
"""


async def serve(config: Path) -> None:
    """Serve until told to stop."""
    settings = load(Settings, config)
    configure(_AREA, settings.logging.level)
    database = open_database(settings.database)
    client = RegistryClient(settings.registries)
    workers = Workers(settings.scans.parallel * settings.scans.layers + settings.archives.held + _BESIDES)
    try:
        await migrations.check_schema(database, _MIGRATIONS, _AREA)
        await _serve(settings, database, ClientRegistry(client), workers)
    finally:
        workers.close()
        await client.close()
        await database.close()


async def migrate(config: Path) -> None:
    """Bring the database's schema up to date."""
    database = open_database(load(Settings, config).database)
    try:
        await migrations.migrate(database, _MIGRATIONS)
    finally:
        await database.close()


async def _serve(settings: Settings, database: Database, images: ClientRegistry, workers: Workers) -> None:
    clock, registry = SystemClock(), CollectorRegistry()
    risks, queue, searches = Notifier(), Notifier(), Notifier()
    store = DatabaseStore(database, AuditLog(database, clock), risks)
    metrics, board = ScanMetrics(registry), Board()
    max_age = settings.feeds.max_age
    viewer = Viewer(store, clock, max_age)
    folder = settings.cache.folder
    cache = LayerCache(folder, settings.cache.bytes, ANALYZERS) if folder else None
    reader = ImageReader(
        images,
        workers,
        SharedLayers(workers, cache),
        parallel=settings.scans.layers,
        bases=settings.base_images,
    )
    shelf = Shelf(workers, settings.archives.held)
    uploads = ArchiveDesk(store, shelf, workers, clock, queue, settings.archives.room)
    attached = AttachedDocuments(images, workers)
    runner = Runner(store, reader, attached, shelf, clock, queue, board, metrics, max_age, settings.scans.bounds)
    desk = ScanDesk(store, images, clock, queue, board)
    events = Events(store, images, clock, queue, metrics, max_age)
    searcher = Searcher(store, images, clock, searches, queue, max_age)
    keeper = FreshnessKeeper(store, clock, max_age)
    answering = DatabaseHealth(database)
    health = Health({"database": answering.problem})
    server = GrpcServer(
        settings=settings.server,
        tls=settings.tls,
        area=_AREA,
        offered=_offered(
            ScanService(
                desk, uploads, Exporter(store, desk, workers), InventoryImporter(store, workers, clock, max_age)
            ),
            TargetService(TargetDesk(store, images, clock, searches, max_age), Requests(database, clock)),
            ImageService(viewer, RiskSource(store, settings.store.epoch), risks),
            FindingService(viewer),
            AdvisoryService(Importer(store, workers, clock, max_age), viewer, max_age),
        ),
        metrics=registry,
        roles=Roles(settings.bindings, settings.roles),
        health=health,
    )
    listeners = [
        HttpServer(operations(health, registry), settings.http.address),
        HttpServer(
            push_events(events),
            settings.events.address,
            certificate=settings.events.certificate,
            key=settings.events.key,
        ),
    ]
    tasks = [runner.run(), events.run(), searcher.run(), keeper.run(), answering.run()]
    await lifecycle.run(server=server, listeners=listeners, health=health, tasks=tasks)


def _offered(
    scans: ScanService,
    targets: TargetService,
    images: ImageService,
    findings: FindingService,
    advisories: AdvisoryService,
) -> tuple[Offered, ...]:
    return (
        Offered(
            scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"],
            scan_service_pb2_grpc.add_ScanServiceServicer_to_server,
            scans,
        ),
        Offered(
            target_service_pb2.DESCRIPTOR.services_by_name["TargetService"],
            target_service_pb2_grpc.add_TargetServiceServicer_to_server,
            targets,
        ),
        Offered(
            image_service_pb2.DESCRIPTOR.services_by_name["ImageService"],
            image_service_pb2_grpc.add_ImageServiceServicer_to_server,
            images,
        ),
        Offered(
            finding_service_pb2.DESCRIPTOR.services_by_name["FindingService"],
            finding_service_pb2_grpc.add_FindingServiceServicer_to_server,
            findings,
        ),
        Offered(
            advisory_service_pb2.DESCRIPTOR.services_by_name["AdvisoryService"],
            advisory_service_pb2_grpc.add_AdvisoryServiceServicer_to_server,
            advisories,
        ),
    )


if __name__ == "__main__":
    lifecycle.main(_AREA, serve, migrate)
