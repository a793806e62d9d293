"""ImageService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from chassis.errors import InvalidArgument
from chassis.identity import current_caller
from chassis.paging import open_page
from chassis.watch import Notifier, serve
from hallmark.scanner.v1 import image_service_pb2 as pb
from hallmark.scanner.v1 import image_service_pb2_grpc as rpc

from scanner.risk.model import FeedSet
from scanner.risk_source import RiskSource
from scanner.servicers.fitting import fitting
from scanner.viewing import Viewer
from scanner.wire import images, reading, risks

Context = grpc.aio.ServicerContext[Any, Any]
MOST_IN_A_BATCH = 100


class ImageService(rpc.ImageServiceServicer):
    """Images and their risk."""

    def __init__(self, viewer: Viewer, source: RiskSource, notifier: Notifier) -> None:
        self._viewer = viewer
        self._source = source
        self._notifier = notifier

    async def ListRepositories(
        self, request: pb.ListRepositoriesRequest, context: Context
    ) -> pb.ListRepositoriesResponse:
        """List the repositories that hold known images, by name."""
        page = open_page(request)
        listed = await self._viewer.repositories(current_caller(), page.cursor, page.size)
        return pb.ListRepositoriesResponse(
            repositories=map(images.repository, listed.records),
            next_page_token=page.token(listed.records[-1].name if listed.more else ""),
        )

    async def ListImages(self, request: pb.ListImagesRequest, context: Context) -> pb.ListImagesResponse:
        """List images, the one recorded last first."""
        page = open_page(request)
        listed, feed_sets = await self._viewer.images(
            current_caller(),
            images.image_filter(request),
            reading.repository(request.repository) if request.repository else "",
            reading.vulnerability_id(request.vulnerability_id) if request.vulnerability_id else "",
            int(page.cursor) if page.cursor else None,
            page.size,
        )
        encoded = fitting(images.image(image, feed_sets.get(image.risk.feed_set)) for image in listed.records)
        more = listed.more or len(encoded) < len(listed.records)
        last = str(listed.records[len(encoded) - 1].cursor) if more else ""
        return pb.ListImagesResponse(images=encoded, next_page_token=page.token(last))

    async def GetImage(self, request: pb.GetImageRequest, context: Context) -> pb.GetImageResponse:
        """Return an image with its platforms and the history of its risk."""
        view = await self._viewer.image(
            current_caller(), reading.repository(request.repository), reading.digest(request.digest)
        )
        return pb.GetImageResponse(
            image=images.image(view.image, view.feed_set),
            platforms=map(images.platform, view.platforms),
            risk_changes=map(risks.change, view.changes),
        )

    async def GetImageRisk(self, request: pb.GetImageRiskRequest, context: Context) -> pb.GetImageRiskResponse:
        """Return an image's risk."""
        found = await self._viewer.risks(current_caller(), [_image(request, "")])
        feed_set: FeedSet | None = found.feed_sets.get(found.risks[0].feed_set)
        return pb.GetImageRiskResponse(
            image_risk=risks.image_risk(found.risks[0]), feed_set=risks.feed_set(feed_set) if feed_set else None
        )

    async def BatchGetImageRisk(
        self, request: pb.BatchGetImageRiskRequest, context: Context
    ) -> pb.BatchGetImageRiskResponse:
        """Return the risk of several images."""
        if not 1 <= len(request.requests) <= MOST_IN_A_BATCH:
            raise InvalidArgument(f"Ask for 1 to {MOST_IN_A_BATCH} images at once.", field="requests")
        wanted = [_image(one, f"requests[{place}].") for place, one in enumerate(request.requests)]
        found = await self._viewer.risks(current_caller(), wanted)
        return pb.BatchGetImageRiskResponse(
            image_risks=map(risks.image_risk, found.risks), feed_sets=map(risks.feed_set, found.feed_sets.values())
        )

    async def WatchImageRisk(
        self, request: pb.WatchImageRiskRequest, context: Context
    ) -> AsyncIterator[pb.WatchImageRiskResponse]:
        """Send the risk of every image that the caller's binding covers, and of every feed set, then what changes."""
        scope = current_caller().scope
        async for head, records in serve(self._source, request.resume_token, self._notifier):
            seen = [
                record
                for record in records
                if isinstance(record, FeedSet) or scope.covers_repository(record.repository)
            ]
            yield pb.WatchImageRiskResponse(head=head, records=map(risks.record, seen))


def _image(request: pb.GetImageRiskRequest, prefix: str) -> tuple[str, str]:
    repository = reading.repository(request.repository, f"{prefix}repository")
    return repository, reading.digest(request.digest, f"{prefix}digest")
