"""The scanner's settings."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from chassis.config import Binding, Http, Logging, RoleTable, Server, Tls
from chassis.database import Settings as Database
from registry.settings import RegistrySettings

from scanner.archives.naming import HOST
from scanner.inventory.bases import BaseImage
from scanner.runner import Bounds
from scanner.uploads import Room

_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=64)]


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where registries send push events (`host:port`), over HTTPS with this certificate and key (PEM files)."""

    address: str
    certificate: Path
    key: Path


class Scans(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How scans are done: so many images, and of each so many layers, at a time.

    `attempts` counts those of one scan, of which none lasts longer than `seconds`.
    """

    parallel: _Count = 2
    layers: _Count = 2
    attempts: _Count = 6
    seconds: _Positive = 3600.0

    @property
    def bounds(self) -> Bounds:
        """As the runner takes them."""
        return Bounds(parallel=self.parallel, attempts=self.attempts, seconds=self.seconds)


class Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where layers that were read are kept, `bytes` at most; without a folder, nowhere."""

    folder: Path | None = None
    bytes: Annotated[int, msgspec.Meta(ge=1)] = 2 * 2**30


class Archives(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Archives of images that callers send: `held` at a time, until they are scanned, each of `bytes` at most.

    Those are bytes on disk, decompressed, in `folder`, or where temporary files go.
    """

    folder: Path | None = None
    bytes: Annotated[int, msgspec.Meta(ge=1)] = 8 * 2**30
    held: _Count = 4

    @property
    def room(self) -> Room:
        """As the desk takes it."""
        return Room(self.folder, self.bytes)


class Feeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """After how many days a feed is too old: `max_age_days`, and by ecosystem in `max_age_days_of`."""

    max_age_days: _Positive = 7.0
    max_age_days_of: Mapping[str, _Positive] = {}

    def max_age(self, ecosystem: str) -> timedelta:
        """How old the feed of an ecosystem may grow."""
        return timedelta(days=self.max_age_days_of.get(ecosystem, self.max_age_days))


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The state's epoch: raised by the operator after a restore, so that readers notice."""

    epoch: int = 1


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that the scanner is told."""

    server: Server
    tls: Tls
    http: Http
    events: Events
    database: Database
    registries: tuple[RegistrySettings, ...] = ()
    scans: Scans = Scans()
    cache: Cache = Cache()
    archives: Archives = Archives()
    feeds: Feeds = Feeds()
    base_images: tuple[BaseImage, ...] = ()
    store: Store = Store()
    bindings: tuple[Binding, ...] = ()
    roles: RoleTable = {}
    logging: Logging = Logging()

    def __post_init__(self) -> None:
        """Keep the name that images from archives are known by from any registry."""
        if any(one.host == HOST for one in self.registries):
            raise ValueError(f"no registry can be called {HOST}: images from archives are known by that name")
