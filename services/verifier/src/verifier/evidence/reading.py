"""Reads the signatures of a digest from its registry, in both forms, within bounds.

What is absent is no signature; what cannot be told is a Rejection, and never an absence.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from chassis.workers import Workers
from registry.digests import Digest
from registry.manifests import Descriptor, ImageManifest
from registry.references import Reference

from verifier.evidence import bundles, simple_signing
from verifier.evidence.claims import Place
from verifier.evidence.findings import Stored, Unreadable
from verifier.evidence.strict import malformed
from verifier.reasons import Code, Rejection

SIGNATURES: Final = 50
"""How many signatures of each form a digest may have."""
PAYLOAD_BYTES: Final = 256 << 10
"""How large a payload or bundle may be."""
TOTAL_BYTES: Final = 2 << 20
"""How large all payloads and bundles of a digest may be together."""

_ARTIFACT_TYPES: Final = frozenset({bundles.MEDIA_TYPE, "application/vnd.oci.empty.v1+json", ""})

Result = TypeVar("Result")


class Source(Protocol):
    """A registry, as far as signatures need it.

    Absent is None. A manifest that breaks its form raises Rejection INVALID_SIGNATURE, bytes that are not those of
    their digest DIGEST_MISMATCH; whatever else goes wrong REGISTRY_NOT_ALLOWED, REGISTRY_UNAVAILABLE, LIMIT_EXCEEDED.
    """

    async def tagged(self, image: Reference, tag: str) -> tuple[Digest, ImageManifest] | None:
        """The manifest at a tag of the image's repository, and its digest."""

    async def manifest(self, image: Reference, digest: Digest) -> ImageManifest | None:
        """The manifest of a digest."""

    async def blob(self, image: Reference, layer: Descriptor, most: int) -> bytes | None:
        """The bytes of a layer, of which there may be so many."""

    async def referrers(self, image: Reference, digest: Digest) -> Sequence[Descriptor]:
        """The manifests that refer to a digest."""


class SignatureReader:
    """The Reader over a registry. A look takes at most `seconds`."""

    def __init__(self, source: Source, workers: Workers, seconds: float) -> None:
        self._source = source
        self._workers = workers
        self._seconds = seconds

    async def signatures(self, image: Reference, digest: Digest) -> tuple[Stored, ...]:
        """Everything in the place of a signature of the digest in the image's repository. Raises Rejection."""
        look = _Look(self._source, self._workers, image, digest)
        try:
            async with asyncio.timeout(self._seconds):
                simple, bundled = await _together(look.simple_signings(), look.bundles())
        except TimeoutError as error:
            message = f"The registry {image.host} did not answer within {self._seconds:g} seconds."
            raise Rejection(Code.REGISTRY_UNAVAILABLE, message) from error
        return (*simple, *bundled)


class _Look:
    """One look at one digest, with what is left of its bounds."""

    def __init__(self, source: Source, workers: Workers, image: Reference, digest: Digest) -> None:
        self._source = source
        self._workers = workers
        self._image = image
        self._digest = digest
        self._bytes_left = TOTAL_BYTES

    async def simple_signings(self) -> list[Stored]:
        """The layers of the `.sig` manifest."""
        tag = simple_signing.signature_tag(self._digest)
        try:
            found = await self._source.tagged(self._image, tag)
        except Rejection as rejection:
            return [_unreadable(simple_signing.place_of(tag, 0), rejection)]
        if found is None:
            return []
        digest, manifest = found
        layers = [
            (number, layer)
            for number, layer in enumerate(manifest.layers)
            if layer.media_type == simple_signing.LAYER_TYPE
        ]
        _check_count(len(layers))
        return await _together(
            *(self._simple_signing(simple_signing.place_of(digest, number), layer) for number, layer in layers)
        )

    async def bundles(self) -> list[Stored]:
        """The referrers that are bundles, but for those that are said to be about something else."""
        referrers = await self._source.referrers(self._image, self._digest)
        relevant = [referrer for referrer in referrers if _may_be_signature(referrer)]
        _check_count(len(relevant))
        found = await _together(*(self._bundle(referrer) for referrer in relevant))
        return [stored for stored in found if stored is not None]

    async def _simple_signing(self, place: Place, layer: Descriptor) -> Stored:
        try:
            payload = await self._blob(layer)
            signature = layer.annotations.get(simple_signing.ANNOTATION)
            return await self._workers.run(simple_signing.parse, place, payload, signature)
        except Rejection as rejection:
            return _unreadable(place, rejection)

    async def _bundle(self, referrer: Descriptor) -> Stored | None:
        """The signature in a referrer; None where it is a referrer of another kind."""
        place = bundles.place_of(referrer.digest)
        try:
            manifest = await self._source.manifest(self._image, referrer.digest)
            if manifest and not _is_bundle(manifest):
                return None
            return await self._workers.run(bundles.parse, place, await self._blob(self._layer_of_bundle(manifest)))
        except Rejection as rejection:
            return _unreadable(place, rejection)

    def _layer_of_bundle(self, manifest: ImageManifest | None) -> Descriptor:
        if manifest is None:
            raise malformed("the registry lists its manifest and does not hold it")
        if manifest.subject is None or manifest.subject.digest != self._digest:
            raise malformed("its manifest does not refer to this image")
        if len(manifest.layers) != 1 or manifest.layers[0].media_type != bundles.MEDIA_TYPE:
            raise malformed("its manifest does not have exactly one layer that is a bundle")
        return manifest.layers[0]

    async def _blob(self, layer: Descriptor) -> bytes:
        # Reserved before anything is read, since all are read at once.
        self._bytes_left -= layer.size
        if self._bytes_left < 0:
            raise Rejection(Code.LIMIT_EXCEEDED, f"The signatures of the image are larger than {TOTAL_BYTES} bytes.")
        try:
            body = await self._source.blob(self._image, layer, min(layer.size, PAYLOAD_BYTES))
        except Rejection as rejection:
            if rejection.reason.code is Code.LIMIT_EXCEEDED and layer.size <= PAYLOAD_BYTES:
                raise malformed("its payload is larger than its manifest says") from rejection
            raise
        if body is None:
            raise malformed("the registry does not hold its payload")
        return body


def _may_be_signature(referrer: Descriptor) -> bool:
    """Whether to look into a referrer. Where the registry has no referrers API, cosign 2.5 describes its bundles by the
    type of their empty config.
    """
    return referrer.artifact_type in _ARTIFACT_TYPES and _may_be_about_signing(referrer.annotations)


def _may_be_about_signing(annotations: Mapping[str, str]) -> bool:
    """Whether annotations, which nobody signs, leave it open: they can hide a signature, but make none count."""
    return annotations.get(bundles.PREDICATE_ANNOTATION, bundles.PREDICATE_TYPE) == bundles.PREDICATE_TYPE


def _is_bundle(manifest: ImageManifest) -> bool:
    return manifest.artifact_type == bundles.MEDIA_TYPE and _may_be_about_signing(manifest.annotations)


def _check_count(count: int) -> None:
    if count > SIGNATURES:
        raise Rejection(Code.LIMIT_EXCEEDED, f"The image has {count} signatures; at most {SIGNATURES} are looked at.")


def _unreadable(place: Place, rejection: Rejection) -> Unreadable:
    """What is wrong with one signature is found there; what is wrong with the look ends the look."""
    if rejection.reason.code not in {Code.INVALID_SIGNATURE, Code.WRONG_TYPE, Code.DIGEST_MISMATCH}:
        raise rejection
    return Unreadable(place, rejection.reason)


async def _together(*work: Coroutine[Any, Any, Result]) -> list[Result]:
    """The results of all, in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
