"""SigningService: decode, use case, encode."""

from collections.abc import Awaitable
from typing import Any, Final

import grpc.aio
from chassis.clock import Clock
from chassis.identity import current_caller
from chassis.paging import open_page
from chassis.requests import Requests
from hallmark.signer.v1 import signature_pb2
from hallmark.signer.v1 import signing_service_pb2 as pb
from hallmark.signer.v1 import signing_service_pb2_grpc as rpc

from signer.records import Records
from signer.revoking import NewRevocation, Revoker
from signer.signing import ImageSigner
from signer.signings import Signing
from signer.wire import reading, writing

Context = grpc.aio.ServicerContext[Any, Any]
_ABOVE_ALL: Final = 2**62  # above the number of any record


class SigningService(rpc.SigningServiceServicer):
    """Signatures of images, and their revocation."""

    def __init__(
        self, signer: ImageSigner, revoker: Revoker, records: Records, requests: Requests, clock: Clock
    ) -> None:
        self._signer = signer
        self._revoker = revoker
        self._records = records
        self._requests = requests
        self._clock = clock

    async def SignImage(self, request: pb.SignImageRequest, context: Context) -> pb.SignImageResponse:
        """Sign an image that passes the key's gate."""
        wanted = reading.sign_request(request)

        def resume(first: pb.SignImageResponse) -> Awaitable[Signing] | None:
            if first.signing.state != signature_pb2.SIGNING_STATE_PENDING:
                return None
            return self._signer.resume(current_caller(), wanted, first.signing.signing_id)

        return await self._requests.once(
            "SignImage",
            request.request_id,
            request,
            pb.SignImageResponse,
            lambda signing: pb.SignImageResponse(signing=writing.signing(signing)),
            lambda: self._signer.sign(current_caller(), wanted),
            resume,
        )

    async def GetSignature(self, request: pb.GetSignatureRequest, context: Context) -> pb.GetSignatureResponse:
        """Return the record of a signing."""
        signing_id = reading.identifier(request.signing_id, "signing_id")
        return pb.GetSignatureResponse(
            signing=writing.signing(await self._records.signing(current_caller(), signing_id))
        )

    async def ListSignatures(self, request: pb.ListSignaturesRequest, context: Context) -> pb.ListSignaturesResponse:
        """List the records of signings, the newest first."""
        page = open_page(request)
        before = reading.cursor(page, _ABOVE_ALL)
        listed = await self._records.signings(current_caller(), reading.listing(request), before, page.size)
        return pb.ListSignaturesResponse(
            signings=[writing.signing(signing) for signing in listed.items],
            next_page_token=page.token(str(listed.after or "")),
        )

    async def CreateRevocation(
        self, request: pb.CreateRevocationRequest, context: Context
    ) -> pb.CreateRevocationResponse:
        """Revoke a signing, signatures, a digest or a key version."""
        wanted = NewRevocation(
            target=reading.target(request.target, self._clock.now()), reason=reading.reason(request.reason)
        )

        return await self._requests.once(
            "CreateRevocation",
            request.request_id,
            request,
            pb.CreateRevocationResponse,
            lambda made: pb.CreateRevocationResponse(revocation=writing.revocation(made)),
            lambda: self._revoker.revoke(current_caller(), wanted),
        )

    async def ListRevocations(self, request: pb.ListRevocationsRequest, context: Context) -> pb.ListRevocationsResponse:
        """List revocations, the newest first."""
        page = open_page(request)
        listed = await self._records.revocations(reading.cursor(page, _ABOVE_ALL), page.size)
        return pb.ListRevocationsResponse(
            revocations=[writing.revocation(revocation) for revocation in listed.items],
            next_page_token=page.token(str(listed.after or "")),
        )
