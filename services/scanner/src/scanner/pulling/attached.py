"""Documents that lie beside an image in its registry and say what is in it.

Found are referrers of the formats' types and Sigstore's bundles of such documents (OCI distribution specification 1.1),
and what cosign stores at the tags `sha256-<digest>.sbom` and `.att`. Whatever is wrong with one is said of it, and
never fails a scan.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chassis.errors import Refusal
from chassis.workers import Workers
from registry.errors import ManifestNotFound
from registry.manifests import Descriptor, ImageManifest

from scanner.claims.reading import LARGEST, MOST_PACKAGES, read_claim
from scanner.claims.statements import DOCUMENTS, document_of
from scanner.inventory.model import Claim, Distribution, Origin, PlatformInventory
from scanner.pulling.registry import Registry

MOST_DOCUMENTS: Final = 10
"""Documents that are read of one manifest."""
_TYPES: Final = {"application/vnd.cyclonedx+json", "application/spdx+json", "text/spdx+json"}
_ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
_BUNDLES: Final = {f"application/vnd.dev.sigstore.bundle.v0.{minor}+json" for minor in (2, 3)}
_PREDICATE: Final = "dev.sigstore.bundle.predicateType"
"""The annotation by which a referrer says what its bundle attests."""
_LONGEST: Final = 300


@dataclass(slots=True)
class _Budget:
    """What may still be read: documents and bytes of one manifest, packages of a whole image."""

    packages: int
    documents: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class AttachedDocuments:
    """Reads what lies beside images."""

    registry: Registry
    workers: Workers

    async def beside(self, repository: str, platforms: Iterable[PlatformInventory]) -> tuple[PlatformInventory, ...]:
        """The platforms of an image with what documents beside them claim; those that can't be read with the problem.

        Together they may tell of as many packages as one document may.
        """
        budget = _Budget(MOST_PACKAGES)
        return tuple([replace(one, claims=await self._claims(repository, one, budget)) for one in platforms])

    async def _claims(self, repository: str, platform: PlatformInventory, budget: _Budget) -> tuple[Claim, ...]:
        claims: dict[str, Claim] = {}
        budget.documents, budget.size = MOST_DOCUMENTS, 2 * LARGEST
        seen = set[str]()
        async for found in self._found(repository, platform.manifest_digest):
            if isinstance(found, Claim):
                claims.setdefault(found.document, found)
            elif budget.documents == 0:
                claims[""] = _broken("", f"Of the documents beside the image, {MOST_DOCUMENTS} are read.")
                break
            elif found.digest not in seen:
                seen.add(found.digest)
                budget.documents -= 1
                if (claim := await self._claim(repository, platform, found, budget)) is not None:
                    claims[found.digest] = claim
        return tuple(claims.values())

    async def _claim(
        self, repository: str, platform: PlatformInventory, found: Descriptor, budget: _Budget
    ) -> Claim | None:
        if found.size > min(LARGEST, budget.size):
            return _broken(found.digest, f"It, or what lies beside the image, is larger than {LARGEST} bytes.")
        budget.size -= found.size
        try:
            body = await self.registry.blob(repository, found.digest, found.size)
            claim = await self.workers.run(_read, body, found, platform)
        except Refusal as refusal:
            return _broken(found.digest, refusal.message)
        if claim is not None and len(claim.packages) > budget.packages:
            return _broken(found.digest, f"With it, documents tell of more than {MOST_PACKAGES} packages.")
        budget.packages -= len(claim.packages) if claim else 0
        return claim

    async def _found(self, repository: str, digest: str) -> AsyncIterator[Descriptor | Claim]:
        """The blobs that are documents or attestations; a claim with the problem where they can't be listed."""
        try:
            referrers = await self.registry.referrers(repository, digest)
        except Refusal as refusal:
            referrers = ()
            yield _broken("", f"What refers to the image can't be listed: {refusal.message}")
        documents = [one for one in referrers if _is_document(one)]
        for one in documents[: MOST_DOCUMENTS + 1]:
            async for layer in self._layers(repository, one.digest, one.digest, _TYPES | _BUNDLES):
                yield layer
        companion = digest.replace(":", "-")
        async for layer in self._layers(repository, f"{companion}.sbom", "", _TYPES):
            yield layer
        async for layer in self._layers(repository, f"{companion}.att", "", {_ENVELOPE}):
            yield layer

    async def _layers(
        self, repository: str, reference: str, document: str, types: set[str]
    ) -> AsyncIterator[Descriptor | Claim]:
        try:
            manifest = await self._manifest(repository, reference)
        except ManifestNotFound:
            return
        except Refusal as refusal:
            yield _broken(document, f"{reference} can't be read: {refusal.message}")
            return
        layers: Sequence[Descriptor] = manifest.layers if isinstance(manifest, ImageManifest) else ()
        for layer in layers:
            if layer.media_type in types:
                yield layer

    async def _manifest(self, repository: str, reference: str) -> object:
        if reference.startswith("sha256:"):
            return await self.registry.manifest(repository, reference)
        return (await self.registry.tagged(repository, reference))[1]


def _is_document(referrer: Descriptor) -> bool:
    attests = referrer.annotations.get(_PREDICATE, "")
    return referrer.artifact_type in _TYPES or (referrer.artifact_type in _BUNDLES and attests.startswith(DOCUMENTS))


def _read(body: bytes, found: Descriptor, platform: PlatformInventory) -> Claim | None:
    distribution: Distribution | None = platform.inventory.distribution
    document = document_of(body, platform.manifest_digest) if found.media_type not in _TYPES else body
    if document is None:
        return None
    return read_claim(document, distribution, Origin.ATTACHED, found.digest)


def _broken(document: str, problem: str) -> Claim:
    return Claim(document, Origin.ATTACHED, problem=problem.encode("utf-8", "backslashreplace").decode()[:_LONGEST])
