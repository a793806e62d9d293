"""DecisionService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from chassis.identity import current_caller
from chassis.paging import open_page
from hallmark.policy.v1 import decision_service_pb2 as pb
from hallmark.policy.v1 import decision_service_pb2_grpc as rpc

from policy.decisions import DecisionLog
from policy.wire import requests
from policy.wire.decisions import (
    decode_counted,
    decode_decisions,
    decode_listed,
    encode_alike,
    encode_decision,
    encode_refused,
)

Context = grpc.aio.ServicerContext[Any, Any]
_MOST_COUNTS: Final = 1000
_MOST_REFUSALS: Final = 20
_LARGEST_PAGE: Final = 3 << 20
"""A page ends early rather than outgrow a message."""


class DecisionService(rpc.DecisionServiceServicer):
    """The decision log."""

    def __init__(self, decisions: DecisionLog) -> None:
        self._decisions = decisions

    async def RecordDecisions(
        self, request_iterator: AsyncIterator[pb.RecordDecisionsRequest], context: Context
    ) -> pb.RecordDecisionsResponse:
        """Keep decisions, message by message."""
        response = pb.RecordDecisionsResponse()
        async for request in request_iterator:
            recorded = await self._decisions.record(current_caller(), decode_decisions(request.decisions))
            response.recorded += recorded.new
            response.known += recorded.known
            response.refused += len(recorded.refused)
            room = _MOST_REFUSALS - len(response.refusals)
            response.refusals.extend(map(encode_refused, recorded.refused[:room]))
        return response

    async def ListDecisions(self, request: pb.ListDecisionsRequest, context: Context) -> pb.ListDecisionsResponse:
        """List decisions, recorded last first."""
        page = open_page(request)
        wanted, before = decode_listed(request), requests.before(page)
        found = await self._decisions.page(current_caller(), wanted, before, page.size + 1)
        response, size = pb.ListDecisionsResponse(), 0
        for number, decision in found:
            encoded = encode_decision(decision)
            size += encoded.ByteSize()
            if len(response.decisions) == page.size or size > _LARGEST_PAGE:
                response.next_page_token = page.token(str(before))
                break
            response.decisions.append(encoded)
            before = number
        return response

    async def SummarizeDecisions(
        self, request: pb.SummarizeDecisionsRequest, context: Context
    ) -> pb.SummarizeDecisionsResponse:
        """Count decisions that are alike."""
        found = await self._decisions.summary(current_caller(), decode_counted(request), _MOST_COUNTS + 1)
        return pb.SummarizeDecisionsResponse(
            counts=map(encode_alike, found[:_MOST_COUNTS]), truncated=len(found) > _MOST_COUNTS
        )
