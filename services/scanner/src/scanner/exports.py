"""Giving inventories out as documents."""

from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum

from chassis.identity import Caller
from chassis.workers import Workers

from scanner.catalogue import StoredInventory
from scanner.documents.cyclonedx import CycloneDx
from scanner.documents.document import Document
from scanner.documents.spdx import Spdx
from scanner.errors import PlatformUnclear, ScanWithoutInventory
from scanner.scan_records import Scan
from scanner.scans import ScanDesk
from scanner.store import CHUNK, Store

PIECE = 512 * 1024
"""Bytes that are sent at once."""


class Format(Enum):
    """How an inventory is written; the words of InventoryFormat."""

    CYCLONEDX = "CYCLONEDX_1_6"
    SPDX = "SPDX_2_3"


_WRITTEN: Mapping[Format, Callable[[StoredInventory], Document]] = {Format.CYCLONEDX: CycloneDx, Format.SPDX: Spdx}


class Exporter:
    """Gives inventories out to callers."""

    def __init__(self, store: Store, desk: ScanDesk, workers: Workers) -> None:
        self._store = store
        self._desk = desk
        self._workers = workers

    async def export(self, caller: Caller, scan_id: str, platform: str, form: Format) -> AsyncIterator[bytes]:
        """Give the inventory of a platform that a scan has read, by the platform's name or its manifest's digest.

        Raises ScanNotFound, ScanWithoutInventory and PlatformUnclear.
        """
        scan = await self._desk.get(caller, scan_id)
        inventory = await self._inventory(scan, _chosen(scan, platform))
        held = bytearray()
        async for piece in self._pieces(inventory, _WRITTEN[form](inventory)):
            held += piece.encode("ascii")
            while len(held) >= PIECE:
                yield bytes(held[:PIECE])
                del held[:PIECE]
        yield bytes(held)

    async def _pieces(self, inventory: StoredInventory, document: Document) -> AsyncIterator[str]:
        yield await self._workers.run(document.begin)
        count = 0
        while True:
            # A set of packages never changes: no transaction need wait for a slow reader.
            async with self._store.read() as unit:
                packages = await unit.inventories.packages(inventory.package_set, count, CHUNK)
            if not packages:
                break
            yield await self._workers.run(document.packages, count, packages)
            count += len(packages)
        ending = document.end(count)
        while (piece := await self._workers.run(next, ending, None)) is not None:
            yield piece

    async def _inventory(self, scan: Scan, digest: str) -> StoredInventory:
        async with self._store.read() as unit:
            inventory = await unit.inventories.newest(scan.request.repository, digest)
        if inventory is None:
            raise ScanWithoutInventory(f"Nothing is held any more of what the scan {scan.scan_id} read.")
        return inventory


def _chosen(scan: Scan, platform: str) -> str:
    """The digest of the platform manifest that is meant."""
    if scan.summary is None:
        raise ScanWithoutInventory(f"The scan {scan.scan_id} is {scan.state.value}: it gave no inventory.")
    read = scan.summary.platforms
    found = [one.digest for one in read if platform in {"", one.platform, one.digest}]
    if len(found) != 1:
        named = ", ".join(f"{one.platform} ({one.digest})" for one in read) or "none"
        which = f"No platform {platform!r}, or several," if platform else "Of several platforms, or of none, one"
        raise PlatformUnclear(f"{which} must be named. The scan read: {named}.", field="platform")
    return found[0]
