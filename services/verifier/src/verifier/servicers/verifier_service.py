"""VerifierService: decodes, calls the use case, encodes."""

from typing import Any, Final

import grpc.aio
from chassis.identity import correlation_id, current_caller
from hallmark.verifier.v1 import verifier_service_pb2 as pb
from hallmark.verifier.v1 import verifier_service_pb2_grpc as rpc
from registry.references import InvalidReference, parse_reference

from verifier.errors import ForeignCluster
from verifier.inspection import Inspection
from verifier.judging import Context
from verifier.resolution import Resolution
from verifier.verdicts import NamedImage
from verifier.verification import Asked, Verification
from verifier.wire import (
    decode_form,
    decode_image,
    decode_images,
    encode_inspected,
    encode_resolved,
    encode_verdict,
    text,
)

_MARGIN: Final = 0.1
"""Seconds of a call's deadline that are kept for giving the answer."""

_Context = grpc.aio.ServicerContext[Any, Any]


class VerifierService(rpc.VerifierServiceServicer):
    """What adapters and people ask of the verifier. `longest` bounds the work of a call, in seconds."""

    def __init__(
        self, verification: Verification, resolution: Resolution, inspection: Inspection, longest: float
    ) -> None:
        self._verification = verification
        self._resolution = resolution
        self._inspection = inspection
        self._longest = longest

    async def VerifyImages(  # the name of the RPC
        self, request: pb.VerifyImagesRequest, context: _Context
    ) -> pb.VerifyImagesResponse:
        """Judges the images of an admission request."""
        cluster = _own_cluster(request.cluster)
        where = Context(cluster, text(request.namespace, "namespace", 63), decode_form(request.object_form))
        asked = Asked(
            requester=text(request.requester, "requester", 512),
            object_kind=text(request.object_kind, "object_kind", 63),
            dry_run=request.dry_run,
            correlation_id=correlation_id(),
        )
        verdicts = await self._verification.verify(where, asked, decode_images(request.images), self._seconds(context))
        return pb.VerifyImagesResponse(verdicts=[encode_verdict(verdict) for verdict in verdicts])

    async def ResolveImages(  # the name of the RPC
        self, request: pb.ResolveImagesRequest, context: _Context
    ) -> pb.ResolveImagesResponse:
        """Finds the digest behind each tag."""
        cluster = _own_cluster(request.cluster)
        namespace = text(request.namespace, "namespace", 63)
        resolved = await self._resolution.resolve(cluster, namespace, request.images, self._seconds(context))
        return pb.ResolveImagesResponse(images=[encode_resolved(image) for image in resolved])

    async def ExplainVerdict(  # the name of the RPC
        self, request: pb.ExplainVerdictRequest, context: _Context
    ) -> pb.ExplainVerdictResponse:
        """Gives the verdict that an adapter would get."""
        cluster = text(request.cluster, "cluster", 63, required=True)
        current_caller().scope.demand_cluster(cluster)
        _demand_repository(request.image)
        where = Context(cluster, text(request.namespace, "namespace", 63), decode_form(request.object_form))
        verdict = await self._verification.judge.judge(where, NamedImage(request.image, ""), self._seconds(context))
        return pb.ExplainVerdictResponse(verdict=encode_verdict(verdict))

    async def InspectSignatures(  # the name of the RPC
        self, request: pb.InspectSignaturesRequest, context: _Context
    ) -> pb.InspectSignaturesResponse:
        """Judges every signature of an image by itself."""
        image = decode_image(request.image)
        current_caller().scope.demand_repository(image.name)
        inspected = await self._inspection.inspect(image, request.public_keys_pem, self._seconds(context))
        return encode_inspected(inspected)

    def _seconds(self, context: _Context) -> float:
        left = context.time_remaining()
        return self._longest if left is None else max(0.0, min(self._longest, left - _MARGIN))


def _demand_repository(image: str) -> None:
    """Raises PermissionDenied for an image outside of the caller's repositories. What is no reference names none."""
    try:
        name = parse_reference(image).name
    except InvalidReference:
        return
    current_caller().scope.demand_repository(name)


def _own_cluster(named: str) -> str:
    """The cluster of the caller's certificate. Raises ForeignCluster where the request names another."""
    caller = current_caller()
    if named and named != caller.name:
        raise ForeignCluster(
            f"This certificate speaks for the cluster {caller.name!r}, and for no other.", field="cluster"
        )
    return caller.name
