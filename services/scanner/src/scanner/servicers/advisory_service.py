"""AdvisoryService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from chassis.errors import InvalidArgument
from chassis.paging import open_page
from hallmark.scanner.v1 import advisory_service_pb2 as pb
from hallmark.scanner.v1 import advisory_service_pb2_grpc as rpc

from scanner.imports import Importer
from scanner.risk.freshness import MaxAge
from scanner.viewing import Viewer
from scanner.wire import advisories

Context = grpc.aio.ServicerContext[Any, Any]
Parts = AsyncIterator[pb.ImportAdvisoriesRequest]


class AdvisoryService(rpc.AdvisoryServiceServicer):
    """The advisories that images are compared with."""

    def __init__(self, importer: Importer, viewer: Viewer, max_age: MaxAge) -> None:
        self._importer = importer
        self._viewer = viewer
        self._max_age = max_age

    async def ImportAdvisories(self, request_iterator: Parts, context: Context) -> pb.ImportAdvisoriesResponse:
        """Merge a zip of OSV records into what is held."""
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("An import begins with its header.", field="header")
        header = advisories.import_header(first.header)
        result = await self._importer.run(header, _chunks(request_iterator))
        return pb.ImportAdvisoriesResponse(result=advisories.import_result(result))

    async def ListFeeds(self, request: pb.ListFeedsRequest, context: Context) -> pb.ListFeedsResponse:
        """List the feeds that were ever imported, by ecosystem."""
        page = open_page(request)
        listed = await self._viewer.feeds(page.cursor, page.size)
        return pb.ListFeedsResponse(
            feeds=[
                advisories.feed(view.feed, self._max_age(view.feed.ecosystem), view.too_old) for view in listed.records
            ],
            next_page_token=page.token(listed.records[-1].feed.ecosystem if listed.more else ""),
        )


async def _chunks(parts: Parts) -> AsyncIterator[bytes]:
    async for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise InvalidArgument("After the header, an import sends chunks of its zip alone.", field="chunk")
        yield part.chunk
