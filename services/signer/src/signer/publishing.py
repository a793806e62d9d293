"""Writing signatures to a registry without losing those of others.

Signatures on one digest share a manifest (`.sig`) or an index (the fallback tag of referrers), and registries offer no
compare-and-swap. So each write reads what is there, adds to it, writes it, and reads again; inside this process writers
of one tag wait for each other.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol
from weakref import WeakValueDictionary

from registry.digests import Digest

from signer.envelopes import bundle, simple
from signer.envelopes.blobs import Blob
from signer.envelopes.payloads import Envelopes
from signer.errors import SignatureLost
from signer.images import Part
from signer.signings import Signing

_ATTEMPTS: Final = 6
_LONGEST_PAUSE: Final = 0.5  # seconds between two attempts, at most


class Registry(Protocol):
    """What the signer writes to. `repository` is `host/repository`; refusals of the registry library pass through."""

    async def tagged(self, repository: str, tag: str) -> Blob | None:
        """Return the manifest that a tag points at; None where there is no such tag."""
        ...

    async def put_blob(self, repository: str, blob: Blob) -> None:
        """Store a blob that may be there already."""
        ...

    async def put_manifest(self, repository: str, manifest: Blob, tag: str | None) -> bool:
        """Store a manifest, at a tag or by its digest. Say whether the registry itself lists it as a referrer."""
        ...


class Publisher:
    """Stores signatures."""

    def __init__(self, registry: Registry, *, longest_pause: float = _LONGEST_PAUSE) -> None:
        self._registry = registry
        self._longest_pause = longest_pause
        self._writers: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def publish(self, signing: Signing, part: Part, envelopes: Envelopes) -> None:
        """Store the signatures on a manifest. Raises SignaturesFull, SignatureLost, and what the registry refuses."""
        await self._add_signature(signing.repository, part.digest, envelopes.layer)
        await self._add_bundle(signing.repository, part, envelopes.bundle, signing.signed_at)

    async def _add_signature(self, repository: str, digest: Digest, layer: Blob) -> None:
        await self._registry.put_blob(repository, layer)
        await self._edit(
            repository,
            simple.tag(digest),
            lambda stored: simple.with_layer(stored, layer),
            lambda stored: simple.holds(stored, layer),
        )

    async def _add_bundle(self, repository: str, part: Part, stored: Blob, signed_at: datetime) -> None:
        referrer = bundle.referrer(part.descriptor(), stored, signed_at)
        await self._registry.put_blob(repository, bundle.EMPTY)
        await self._registry.put_blob(repository, stored)
        if await self._registry.put_manifest(repository, referrer, None):
            return
        await self._edit(
            repository,
            bundle.fallback_tag(part.digest),
            lambda index: [bundle.with_referrer(index, referrer)],
            lambda index: bundle.lists(index, referrer),
        )

    async def _edit(
        self,
        repository: str,
        tag: str,
        change: Callable[[Blob | None], Sequence[Blob]],
        done: Callable[[Blob | None], bool],
    ) -> None:
        async with self._writers.setdefault((repository, tag), asyncio.Lock()):
            stored = await self._registry.tagged(repository, tag)
            if done(stored):
                return
            for _ in range(_ATTEMPTS):
                *blobs, manifest = change(stored)
                for blob in blobs:
                    await self._registry.put_blob(repository, blob)
                await self._registry.put_manifest(repository, manifest, tag)
                stored = await self._registry.tagged(repository, tag)
                if done(stored):
                    return
                await asyncio.sleep(random.uniform(0, self._longest_pause))  # noqa: S311 - no secret
        raise SignatureLost(
            f"{repository}:{tag} lost the new signature {_ATTEMPTS} times: somebody else writes there at the same time."
            " Sign again when that has ended."
        )
