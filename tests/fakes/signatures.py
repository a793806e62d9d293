"""A registry as the verifier sees it: signatures of digests and digests behind tags, slow or broken on demand."""

import asyncio
from collections import defaultdict

from registry.digests import Digest
from registry.references import Reference
from verifier.evidence import bundles, simple_signing
from verifier.evidence.findings import Stored
from verifier.reasons import Code, Rejection


class FakeSignatures:
    """Signatures by repository and digest, digests by tag. `failure` is raised by every call; `hang` ends none."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], list[Stored]] = defaultdict(list)
        self.tags: dict[str, Digest] = {}
        self.failure: Rejection | None = None
        self.hang = False
        self.calls = 0

    def add_simple(self, repository: str, digest: str, payload: bytes, signature: str) -> None:
        """Stores a signature in the `.sig` form."""
        stored = self.stored[repository, digest]
        stored.append(simple_signing.parse(simple_signing.place_of(digest, len(stored)), payload, signature))

    def add_bundle(self, repository: str, digest: str, bundle: bytes) -> None:
        """Stores a signature in the bundle form."""
        self.stored[repository, digest].append(bundles.parse(bundles.place_of(digest), bundle))

    async def signatures(self, image: Reference, digest: Digest) -> tuple[Stored, ...]:
        """The signatures stored."""
        await self._answer()
        return tuple(self.stored[image.name, digest])

    async def resolve(self, image: Reference) -> Digest:
        """The digest behind a tag."""
        await self._answer()
        digest = self.tags.get(f"{image.name}:{image.tag}")
        if digest is None:
            raise Rejection(Code.INVALID_REFERENCE, "There is no such tag.")
        return digest

    async def _answer(self) -> None:
        self.calls += 1
        if self.hang:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


class NoMetrics:
    """Counts nothing."""

    def lookup(self, *, remembered: bool) -> None:
        """Forgets it."""

    def checks(self, *, remembered: int, computed: int) -> None:
        """Forgets it."""

    def requested(self, result: str) -> None:
        """Forgets it."""

    def verdict(self, verdict: object) -> None:
        """Forgets it."""
