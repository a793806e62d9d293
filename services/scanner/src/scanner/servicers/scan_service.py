"""ScanService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from chassis.errors import InvalidArgument
from chassis.identity import current_caller
from chassis.paging import open_page
from hallmark.scanner.v1 import scan_service_pb2 as pb
from hallmark.scanner.v1 import scan_service_pb2_grpc as rpc

from scanner.claiming import InventoryImporter
from scanner.exports import Exporter
from scanner.scans import ScanDesk
from scanner.servicers.fitting import fitting
from scanner.uploads import ArchiveDesk
from scanner.wire import inventories, reading, scans

Context = grpc.aio.ServicerContext[Any, Any]
ArchiveParts = AsyncIterator[pb.ScanArchiveRequest]
InventoryParts = AsyncIterator[pb.ImportInventoryRequest]


class ScanService(rpc.ScanServiceServicer):
    """Scans: readings of images that are or were done."""

    def __init__(self, desk: ScanDesk, uploads: ArchiveDesk, exporter: Exporter, importer: InventoryImporter) -> None:
        self._desk = desk
        self._uploads = uploads
        self._exporter = exporter
        self._importer = importer

    async def ScanImage(self, request: pb.ScanImageRequest, context: Context) -> pb.ScanImageResponse:
        """Ask for a scan."""
        scan = await self._desk.scan_image(current_caller(), scans.image(request.image), force=request.force)
        return pb.ScanImageResponse(scan=scans.scan(scan))

    async def ScanArchive(self, request_iterator: ArchiveParts, context: Context) -> pb.ScanArchiveResponse:
        """Take in an archive, and ask for a scan of the image in it."""
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("An archive begins with its header.", field="header")
        upload = scans.upload(first.header)
        scan = await self._uploads.scan(current_caller(), upload, _chunks(request_iterator))
        return pb.ScanArchiveResponse(scan=scans.scan(scan))

    async def GetScan(self, request: pb.GetScanRequest, context: Context) -> pb.GetScanResponse:
        """Return a scan."""
        return pb.GetScanResponse(scan=scans.scan(await self._desk.get(current_caller(), request.scan_id)))

    async def WatchScan(self, request: pb.WatchScanRequest, context: Context) -> AsyncIterator[pb.WatchScanResponse]:
        """Send how far a scan is, until it has ended."""
        async for progress, scan in self._desk.watch(current_caller(), request.scan_id):
            yield pb.WatchScanResponse(progress=scans.progress(progress), scan=scans.scan(scan) if scan else None)

    async def ListScans(self, request: pb.ListScansRequest, context: Context) -> pb.ListScansResponse:
        """List scans, the newest first."""
        page = open_page(request)
        listed = await self._desk.page(
            current_caller(),
            scans.scan_filter(request),
            reading.repository(request.repository) if request.repository else "",
            int(page.cursor) if page.cursor else None,
            page.size,
        )
        encoded = fitting(map(scans.scan, listed.records))
        more = listed.more or len(encoded) < len(listed.records)
        last = str(listed.records[len(encoded) - 1].number) if more else ""
        return pb.ListScansResponse(scans=encoded, next_page_token=page.token(last))

    async def ExportScan(self, request: pb.ExportScanRequest, context: Context) -> AsyncIterator[pb.ExportScanResponse]:
        """Send an inventory as a document."""
        form = inventories.form(request.format)
        async for chunk in self._exporter.export(current_caller(), request.scan_id, request.platform, form):
            yield pb.ExportScanResponse(chunk=chunk)

    async def ImportInventory(self, request_iterator: InventoryParts, context: Context) -> pb.ImportInventoryResponse:
        """Take in a document that says what is in an image."""
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("An import begins with its header.", field="header")
        subject = inventories.subject(first.header)
        result = await self._importer.run(current_caller(), subject, _chunks(request_iterator))
        return inventories.imported(result)


async def _chunks(parts: ArchiveParts | InventoryParts) -> AsyncIterator[bytes]:
    async for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise InvalidArgument("After the header come chunks alone.", field="chunk")
        yield part.chunk
