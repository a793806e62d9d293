"""Reads the signatures of a digest from its registry, in both forms, within bounds.

What is absent is no signature; what cannot be told is a Rejection, and never an absence.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from chassis.workers import Workers
from registry.digests import Digest
from registry.manifests import Descriptor, ImageManifest
from registry.references import Reference

from verifier.evidence import bundles, simple_signing
from verifier.evidence.claims import Place, Signature
from verifier.evidence.findings import Stored, Unreadable
from verifier.evidence.strict import malformed
from verifier.reasons import Code, Rejection

SIGNATURES: Final = 50
"""How many signatures a digest may have."""
PAYLOAD_BYTES: Final = 1 << 20
"""How large a payload or bundle may be."""
TOTAL_BYTES: Final = 8 << 20
"""How large all payloads and bundles of a digest may be together."""

Result = TypeVar("Result")


class Source(Protocol):
    """A registry, as far as signatures need it.

    Absent is None; a manifest or blob that breaks its form or digest raises Rejection INVALID_SIGNATURE, everything else
    that goes wrong REGISTRY_NOT_ALLOWED, REGISTRY_UNAVAILABLE or LIMIT_EXCEEDED.
    """

    async def tagged(self, image: Reference, tag: str) -> tuple[Digest, ImageManifest] | None:
        """The manifest at a tag of the image's repository."""

    async def manifest(self, image: Reference, digest: Digest) -> ImageManifest | None:
        """The manifest of a digest."""

    async def blob(self, image: Reference, digest: Digest, most: int) -> bytes | None:
        """The bytes of a digest, at most so many."""

    async def referrers(self, image: Reference, digest: Digest) -> Sequence[Descriptor]:
        """The manifests that refer to a digest."""


class SignatureReader:
    """The Reader over a registry."""

    def __init__(self, source: Source, workers: Workers, seconds: float, at_once: int) -> None:
        """`seconds` for all that belongs to a digest; `at_once` requests to registries at the same time."""
        self._source = source
        self._workers = workers
        self._seconds = seconds
        self._turns = asyncio.Semaphore(at_once)

    async def signatures(self, image: Reference, digest: str) -> tuple[Stored, ...]:
        """Everything in the place of a signature of the digest in the image's repository. Raises Rejection."""
