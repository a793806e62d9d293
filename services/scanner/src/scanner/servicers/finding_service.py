"""FindingService: decode, use case, encode."""

from typing import Any

import grpc.aio
from chassis.identity import current_caller
from chassis.paging import open_page
from hallmark.scanner.v1 import finding_service_pb2 as pb
from hallmark.scanner.v1 import finding_service_pb2_grpc as rpc

from scanner.servicers.fitting import fitting
from scanner.viewing import Viewer
from scanner.wire import findings, reading

Context = grpc.aio.ServicerContext[Any, Any]


class FindingService(rpc.FindingServiceServicer):
    """What was found in images, and the vulnerabilities behind it."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    async def ListFindings(self, request: pb.ListFindingsRequest, context: Context) -> pb.ListFindingsResponse:
        """List the findings of an image, the worst first."""
        page = open_page(request)
        listed = await self._viewer.findings(
            current_caller(),
            (reading.repository(request.repository), reading.digest(request.digest)),
            findings.finding_filter(request),
            reading.vulnerability_id(request.vulnerability_id) if request.vulnerability_id else "",
            findings.finding_cursor(page.cursor),
            page.size,
        )
        encoded = fitting(map(findings.finding, listed.records))
        more = listed.more or len(encoded) < len(listed.records)
        last = findings.cursor(listed.records[len(encoded) - 1].cursor) if more else ""
        return pb.ListFindingsResponse(findings=encoded, next_page_token=page.token(last))

    async def ListVulnerabilities(
        self, request: pb.ListVulnerabilitiesRequest, context: Context
    ) -> pb.ListVulnerabilitiesResponse:
        """List the vulnerabilities that have an open finding, the worst first."""
        page = open_page(request)
        listed = await self._viewer.vulnerabilities(
            current_caller(),
            findings.vulnerability_filter(request),
            reading.repository(request.repository) if request.repository else "",
            findings.vulnerability_cursor(page.cursor),
            page.size,
        )
        encoded = fitting(findings.exposure(exposure) for _, exposure in listed.records)
        more = listed.more or len(encoded) < len(listed.records)
        last = findings.cursor(listed.records[len(encoded) - 1][0]) if more else ""
        return pb.ListVulnerabilitiesResponse(vulnerabilities=encoded, next_page_token=page.token(last))

    async def GetVulnerability(
        self, request: pb.GetVulnerabilityRequest, context: Context
    ) -> pb.GetVulnerabilityResponse:
        """Return a vulnerability."""
        found = await self._viewer.vulnerability(current_caller(), reading.vulnerability_id(request.vulnerability_id))
        return pb.GetVulnerabilityResponse(vulnerability=findings.exposure(found))
