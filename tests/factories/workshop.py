"""A signer put together in this process: a real database and vault, a registry on loopback, risk as a test says."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.audit import AuditLog
from chassis.database import Database, Settings, open_database
from chassis.identity import CALLER, Caller, Scope
from chassis.migrations import migrate
from chassis.permissions import ROLES
from chassis.tables import audit_entries
from chassis.watch import Notifier
from chassis.workers import Workers
from prometheus_client import CollectorRegistry
from registry.client import RegistryClient
from registry.references import parse_reference
from registry.settings import RegistrySettings
from signer.clients.registry import Registries
from signer.gate import GateChange
from signer.gatekeeping import Gatekeeper
from signer.images import Images
from signer.keyring import Keyring, NewKey
from signer.keys.embedded import EmbeddedVault, new_seal
from signer.keys.model import Key, Purpose
from signer.keys.secrets import KeySource
from signer.metrics import Metrics
from signer.publishing import Publisher
from signer.records import Records
from signer.revoking import Revoker
from signer.risk import ImageRisk, RiskState
from signer.signing import ImageSigner, SignRequest
from signer.signings import Signing
from signer.store.sql import SqlStore
from signer.trust_source import TrustSource
from sqlalchemy import select

from tests.factories.images import Image
from tests.factories.risks import image_risk
from tests.fakes.clock import FakeClock
from tests.fakes.registry import FakeRegistry

REPOSITORY = "pay/api"


class Risks:
    """Implements the signer's port Risk: what a test says, NOT_SCANNED otherwise."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._known: dict[str, dict[str, Any]] = {}

    def scanned(self, image: Image, **changes: Any) -> None:
        """Say that an image, with every platform in it, was scanned just now."""
        for digest in image.manifests():
            self._known[digest] = changes

    def platform(self, image: Image, **changes: Any) -> None:
        """Say it of one manifest alone."""
        self._known[image.digest] = changes

    async def of(self, repository: str, digests: Sequence[str]) -> tuple[ImageRisk, ...]:
        """Return the risk of each digest."""
        unknown = {"state": RiskState.NOT_SCANNED}
        now = {"as_of": self._clock.now()}
        return tuple(image_risk(digest=digest, **(now | self._known.get(digest, unknown))) for digest in digests)


@dataclass
class Workshop:
    """The parts of a signer."""

    database: Database
    store: SqlStore
    keyring: Keyring
    signer: ImageSigner
    revoker: Revoker
    records: Records
    trust: TrustSource
    vault: EmbeddedVault
    registry: FakeRegistry
    client: RegistryClient
    repository: str
    risks: Risks
    clock: FakeClock
    metrics: CollectorRegistry

    def push(self, image: Image, tag: str = "") -> str:
        """Put an image into the registry; return its digest."""
        for digest, (media_type, body) in image.manifests().items():
            self.registry.put_manifest(REPOSITORY, media_type, body, tag if digest == image.digest else "")
        return image.digest

    async def upload(self, image: Image, tag: str) -> str:
        """Push an image through the client, blobs and all; return its digest."""
        host, _, path = self.repository.partition("/")
        for blob in image.all_blobs().values():
            await self.client.push_blob(host, path, blob)
        for digest, (media_type, body) in image.manifests().items():
            await self.client.put_manifest(host, path, tag if digest == image.digest else digest, media_type, body)
        return image.digest

    async def key(self, name: str = "release", **changes: Any) -> Key:
        """Make an image key as a custodian."""
        wanted: dict[str, Any] = {"purpose": Purpose.IMAGE_SIGNATURE, "algorithm": None, "gate": None, "labels": {}}
        return await self.keyring.create(person("custodian"), NewKey(name=name, **(wanted | changes)))

    async def sign(self, image: Image, *, tag: str = "", caller: Caller | None = None, **changes: Any) -> Signing:
        """Sign an image with the key `release`, as a reviewer."""
        reference = parse_reference(f"{self.repository}{':' + tag if tag else ''}@{image.digest}")
        wanted: dict[str, Any] = {"key": "release", "claims": {}, "gate": GateChange(), "reviewed": ""}
        who = caller or person("reviewer")
        token = CALLER.set(who)
        try:
            return await self.signer.sign(who, SignRequest(image=reference, **(wanted | changes)))
        finally:
            CALLER.reset(token)

    def dot_sig(self, digest: str) -> list[dict[str, Any]]:
        """Return the layers of the manifest of signatures on a digest."""
        tag = digest.replace(":", "-") + ".sig"
        _, body = self.registry.manifests[REPOSITORY, self.registry.tags[REPOSITORY, tag]]
        layers: list[dict[str, Any]] = json.loads(body)["layers"]
        return layers

    def payload_of(self, layer: dict[str, Any]) -> bytes:
        """Return what is signed in a layer."""
        return self.registry.blobs[REPOSITORY, layer["digest"]]

    async def audited(self) -> list[tuple[str, str, dict[str, str]]]:
        """Return the audit log: action, outcome, details."""
        async with self.database.read() as session:
            rows = await session.execute(select(audit_entries).order_by(audit_entries.c.number))
            return [(row.action, row.outcome, row.details) for row in rows]


def person(role: str, **scope: Any) -> Caller:
    """Return a caller in a role, narrowed to a scope."""
    return Caller("test.example", role, "pat", ROLES[role], Scope(**scope))


@asynccontextmanager
async def workshop(
    folder: Path, *, referrers: bool = True, host: str = "", path: str = REPOSITORY, settle: float = 0
) -> AsyncIterator[Workshop]:
    """Put a signer together; its database and key file lie in `folder`. `host` is a real registry's, else a fake.

    `settle` is how long it leaves to other signers, in seconds.
    """
    clock, metrics = FakeClock(), CollectorRegistry()
    counted, notifier, workers = Metrics(metrics), Notifier(), Workers(2)
    database = open_database(Settings(url=f"sqlite+aiosqlite:///{folder}/store/signer.db"), durable=True)
    await migrate(database, "signer.store.migrations")
    vault = _vault(folder, workers)
    async with FakeRegistry(referrers=referrers) as registry:
        client = RegistryClient([RegistrySettings(host=host or registry.host, plain_http=True, timeout=5, retries=0)])
        registries = Registries(client)
        audit, risks = AuditLog(database, clock), Risks(clock)
        store = SqlStore(database, audit, notifier.notify)
        signer = ImageSigner(
            store=store,
            vault=vault,
            images=Images(registries),
            gatekeeper=Gatekeeper(risks, clock, counted),
            publisher=Publisher(registries, longest_pause=0.01, settle=settle),
            audit=audit,
            clock=clock,
            metrics=counted,
        )
        token = CALLER.set(person("custodian"))
        yield Workshop(
            database=database,
            store=store,
            keyring=Keyring(store, vault, clock, counted),
            signer=signer,
            revoker=Revoker(store, clock),
            records=Records(store),
            trust=TrustSource(store, epoch=1),
            vault=vault,
            registry=registry,
            client=client,
            repository=f"{host or registry.host}/{path}",
            risks=risks,
            clock=clock,
            metrics=metrics,
        )
        CALLER.reset(token)
        await client.close()
    workers.close()
    await database.close()


def _vault(folder: Path, workers: Workers) -> EmbeddedVault:
    path = folder / "vault.key"
    path.touch(mode=0o600)
    path.write_bytes(b"k" * 32)
    source = KeySource(None, path, folder / "store")
    return EmbeddedVault.open(source, new_seal(source), workers)
