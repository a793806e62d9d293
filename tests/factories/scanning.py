"""A scanner's scanning half on a database of its own, before a registry in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from chassis.audit import AuditLog
from chassis.database import Database, Settings, open_database
from chassis.identity import CALLER, Caller, Scope
from chassis.migrations import migrate
from chassis.permissions import ROLES
from chassis.watch import Notifier
from chassis.workers import Workers
from prometheus_client import CollectorRegistry
from registry.client import RegistryClient
from registry.references import parse_reference
from registry.settings import RegistrySettings
from scanner.archives.naming import HOST
from scanner.archives.shelf import Shelf
from scanner.clients.registry import ClientRegistry
from scanner.events import Events
from scanner.inventory.bases import BaseImage
from scanner.inventory.taking import ANALYZERS
from scanner.layers.cache import LayerCache
from scanner.layers.limits import Limits
from scanner.metrics import ScanMetrics
from scanner.progress import Board
from scanner.pulling.attached import AttachedDocuments
from scanner.pulling.reading import ImageReader
from scanner.pulling.sharing import SharedLayers
from scanner.risk.model import ImageRisk
from scanner.runner import Bounds, Runner
from scanner.scan_records import Scan
from scanner.scans import ScanDesk
from scanner.searching import Searcher
from scanner.store.database import DatabaseStore
from scanner.target_records import Target
from scanner.targets import TargetDesk
from scanner.uploads import ArchiveDesk, Room, Upload
from scanner.viewing import Viewer

from tests.factories.images import Image
from tests.factories.outcomes import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.registry import FakeRegistry

DEVELOPER = Caller("example.org", "developer", "dora", ROLES["developer"])
OPERATOR = Caller("example.org", "operator", "olga", ROLES["operator"])


def week(_ecosystem: str) -> timedelta:
    """How old feeds may grow."""
    return timedelta(days=7)


def narrowed(role: str, *repositories: str) -> Caller:
    """A caller whose binding covers these repositories alone."""
    return Caller("example.org", role, "nora", ROLES[role], Scope(repositories=repositories))


async def chunks_of(body: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    """A body as it is sent."""
    for at in range(0, len(body), size):
        yield body[at : at + size]


class Scanning:
    """The parts of a scanner that scan, driven step by step."""

    def __init__(
        self, database: Database, registry: FakeRegistry, bounds: Bounds, limits: Limits, patience: float, folder: Path
    ) -> None:
        self.database = database
        self.registry = registry
        self.clock = FakeClock(NOW)
        self.metrics = CollectorRegistry()
        settings = RegistrySettings(host=registry.host, plain_http=True, timeout=patience, retries=0)
        self.client = RegistryClient([settings])
        self.store = DatabaseStore(database, AuditLog(database, self.clock), Notifier())
        self.board = Board()
        self.workers = Workers(4)
        self.images = images = ClientRegistry(self.client)
        self.queue = queue = Notifier()
        self.searches = searches = Notifier()
        counted = ScanMetrics(self.metrics)
        self._limits, self._bounds, self._counted = limits, bounds, counted
        self.shelf = Shelf(self.workers, 2)
        self.uploads = ArchiveDesk(self.store, self.shelf, self.workers, self.clock, queue, Room(folder, 50_000_000))
        self.runner = self._runner()
        self.desk = ScanDesk(self.store, images, self.clock, queue, self.board)
        self.events = Events(self.store, images, self.clock, queue, counted, week)
        self.targets = TargetDesk(self.store, images, self.clock, searches, week)
        self.viewer = Viewer(self.store, self.clock, week)
        self.searcher = Searcher(self.store, images, self.clock, searches, queue, week)

    def cache_layers(self, folder: Path) -> None:
        """Keep the layers that are read from now on in a folder."""
        self.runner = self._runner(LayerCache(folder, 10**9, ANALYZERS))

    def know_bases(self, *bases: BaseImage) -> None:
        """Tell the layers of these base images from now on."""
        self.runner = self._runner(bases=bases)

    def _runner(self, cache: LayerCache | None = None, bases: tuple[BaseImage, ...] = ()) -> Runner:
        shared = SharedLayers(self.workers, cache)
        reader = ImageReader(self.images, self.workers, shared, self._limits, bases=bases)
        attached = AttachedDocuments(self.images, self.workers)
        parts = (self.store, reader, attached, self.shelf, self.clock, self.queue, self.board, self._counted)
        return Runner(*parts, week, self._bounds)

    def repository(self, path: str = "app") -> str:
        """`host/repository`."""
        return f"{self.registry.host}/{path}"

    def push(self, image: Image, tag: str = "", path: str = "app") -> str:
        """Let the registry hold an image; returns its digest."""
        for blob in image.all_blobs().values():
            self.registry.put_blob(path, blob)
        for media_type, body in image.manifests().values():
            self.registry.put_manifest(path, media_type, body)
        return self.registry.put_manifest(path, image.media_type, image.body, tag)

    async def ask(self, digest: str, path: str = "app", *, force: bool = False) -> Scan:
        """Ask for a scan."""
        reference = parse_reference(f"{self.repository(path)}@{digest}")
        return await self.desk.scan_image(DEVELOPER, reference, force=force)

    async def scan(self, image: Image, path: str = "app", *, force: bool = False) -> Scan:
        """Push an image, ask for its scan, do it, and return it as it is then."""
        asked = await self.ask(self.push(image, path=path), path, force=force)
        await self.runner.run_next()
        return await self.get(asked.scan_id)

    async def upload(self, body: bytes, name: str = "app", tag: str = "", wanted: str = "") -> Scan:
        """Send an archive, have its image scanned, and return the scan as it is then."""
        asked = await self.uploads.scan(DEVELOPER, Upload(f"{HOST}/{name}", tag, wanted), chunks_of(body))
        await self.runner.run_next()
        return await self.get(asked.scan_id)

    async def get(self, scan_id: str) -> Scan:
        """A scan as it is now."""
        return await self.desk.get(DEVELOPER, scan_id)

    async def do_all(self) -> None:
        """Do every scan that may begin."""
        while await self.runner.run_next():
            """The next one."""

    async def risk(self, digest: str, path: str = "app") -> ImageRisk:
        """An image's risk as it is kept."""
        async with self.store.read() as unit:
            return await unit.risks.get(self.repository(path), digest) or ImageRisk(self.repository(path), digest)

    async def target(self, name: str = "all", **fields: object) -> str:
        """Create a target of the registry; returns its token."""
        values: dict[str, object] = {"include": (), "exclude": (), "platforms": (), "newest": 0} | fields
        draft = Target(name=name, registry=self.registry.host, enabled=True, created=NOW, **values)  # type: ignore[arg-type]
        CALLER.set(OPERATOR)
        _, token = await self.targets.create(OPERATOR, draft)
        return token

    def count(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        return self.metrics.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def scanning(folder: Path, bounds: Bounds, limits: Limits, patience: float = 5) -> AsyncIterator[Scanning]:
    """A scanner on a new database, or the one that lies there; it waits so many seconds for a silent registry.

    Archives lie in the folder `archives` beside.
    """
    (folder / "archives").mkdir(exist_ok=True)
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{folder}/scanner.db"))
    await migrate(database, "scanner.store.migrations")
    try:
        async with FakeRegistry() as registry:
            made = Scanning(database, registry, bounds, limits, patience, folder / "archives")
            yield made
            made.shelf.close()
            made.workers.close()
            await made.client.close()
    finally:
        await database.close()
