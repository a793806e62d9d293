"""TargetService: decode, use case, encode."""

from typing import Any

import grpc.aio
from chassis.identity import current_caller
from chassis.paging import open_page
from chassis.requests import Requests
from hallmark.scanner.v1 import target_service_pb2 as pb
from hallmark.scanner.v1 import target_service_pb2_grpc as rpc

from scanner.servicers.fitting import fitting
from scanner.target_records import Target
from scanner.targets import TargetDesk
from scanner.wire import targets

Context = grpc.aio.ServicerContext[Any, Any]


class TargetService(rpc.TargetServiceServicer):
    """Targets: which repositories are kept scanned."""

    def __init__(self, desk: TargetDesk, requests: Requests) -> None:
        self._desk = desk
        self._requests = requests

    async def CreateTarget(self, request: pb.CreateTargetRequest, context: Context) -> pb.CreateTargetResponse:
        """Create a target. Its token is in this answer alone, not in the one that is kept for the request id."""
        draft = targets.new(request.target)
        tokens: list[str] = []

        async def create() -> Target:
            target, token = await self._desk.create(current_caller(), draft)
            tokens.append(token)
            return target

        answer = await self._requests.once(
            "CreateTarget",
            request.request_id,
            request,
            pb.CreateTargetResponse,
            lambda target: pb.CreateTargetResponse(target=targets.target(target)),
            create,
        )
        return pb.CreateTargetResponse(target=answer.target, token="".join(tokens))

    async def RotateTargetToken(
        self, request: pb.RotateTargetTokenRequest, context: Context
    ) -> pb.RotateTargetTokenResponse:
        """Replace the token of a target. It is in this answer alone, not in the one kept for the request id."""
        name = targets.name(request.name)
        tokens: list[str] = []

        async def rotate() -> None:
            tokens.append(await self._desk.rotate_token(current_caller(), name))

        await self._requests.once(
            "RotateTargetToken",
            request.request_id,
            request,
            pb.RotateTargetTokenResponse,
            lambda _: pb.RotateTargetTokenResponse(),
            rotate,
        )
        return pb.RotateTargetTokenResponse(token="".join(tokens))

    async def GetTarget(self, request: pb.GetTargetRequest, context: Context) -> pb.GetTargetResponse:
        """Return a target and how far it is."""
        target, search, counts = await self._desk.get(targets.name(request.name))
        return pb.GetTargetResponse(target=targets.target(target), progress=targets.progress(search, counts))

    async def ListTargets(self, request: pb.ListTargetsRequest, context: Context) -> pb.ListTargetsResponse:
        """List targets, by name."""
        page = open_page(request)
        listed = await self._desk.page(page.cursor, page.size)
        encoded = fitting(map(targets.target, listed.records))
        more = listed.more or len(encoded) < len(listed.records)
        return pb.ListTargetsResponse(targets=encoded, next_page_token=page.token(encoded[-1].name if more else ""))

    async def UpdateTarget(self, request: pb.UpdateTargetRequest, context: Context) -> pb.UpdateTargetResponse:
        """Change a target."""
        draft, fields = targets.changed(request.target), targets.fields(request.update_mask)
        return pb.UpdateTargetResponse(target=targets.target(await self._desk.update(current_caller(), draft, fields)))

    async def DeleteTarget(self, request: pb.DeleteTargetRequest, context: Context) -> pb.DeleteTargetResponse:
        """Delete a target and its token."""
        await self._desk.delete(current_caller(), targets.name(request.name))
        return pb.DeleteTargetResponse()
