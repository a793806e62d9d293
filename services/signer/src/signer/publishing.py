"""Writing signatures to a registry without losing those of others.

Signatures on one digest share a manifest (`.sig`) or an index (the fallback tag of referrers), and registries offer no
compare-and-swap. So each write reads what is there, adds to it, writes it, and reads again; inside this process writers
of one tag wait for each other. A writer elsewhere that had read before may still overwrite it after that: so all of it
is looked at once more when such a writer must have ended.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from weakref import WeakValueDictionary

from registry.digests import Digest
from registry.errors import PushRefused, RegistryUnavailable

from signer.envelopes import bundle, simple
from signer.envelopes.blobs import Blob
from signer.envelopes.payloads import Envelopes
from signer.errors import SignatureLost
from signer.images import Part
from signer.signings import Signing

_ATTEMPTS: Final = 6
_READS: Final = 4
_LONGEST_PAUSE: Final = 0.5  # seconds between two attempts, at most
_SETTLE: Final = 0.5  # seconds that a writer elsewhere has to end: at least, and at most
_LONGEST_SETTLE: Final = 5.0
_MOST_LISTED: Final = 1000  # referrers of an image that are looked for where the registry refuses their index
_SLOWER: Final = 6  # times as slow as we were: what is granted to such a writer in between


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

    async def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Say whether a manifest is there."""
        ...


def _lists_nothing(_stored: Blob | None) -> Sequence[Digest]:
    return ()


@dataclass(frozen=True, slots=True)
class Shared:
    """Something of ours in a manifest that others write too: how it gets in, and how one sees that it is there.

    `change` leaves out those manifests that are given; `listed` are the ones that the stored one lists.
    """

    repository: str
    tag: str
    change: Callable[[Blob | None, Collection[Digest]], Sequence[Blob]]
    done: Callable[[Blob | None], bool]
    listed: Callable[[Blob | None], Sequence[Digest]] = _lists_nothing


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and how many seconds that took."""

    shared: Shared
    seconds: float


class Publisher:
    """Stores signatures. `longest_pause` and `settle` are in seconds."""

    def __init__(self, registry: Registry, *, longest_pause: float = _LONGEST_PAUSE, settle: float = _SETTLE) -> None:
        self._registry = registry
        self._longest_pause = longest_pause
        self._settle = settle
        self._writers: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def publish(self, signing: Signing, part: Part, envelopes: Envelopes) -> Sequence[Written]:
        """Store the signatures on a manifest; return what others could overwrite, for `confirm`.

        Raises SignaturesFull, SignatureLost, and what the registry refuses.
        """
        signature = await self._add_signature(signing.repository, part.digest, envelopes.layer)
        bundled = await self._add_bundle(signing.repository, part, envelopes.bundle, signing.signed_at)
        return (signature, *bundled)

    async def confirm(self, written: Sequence[Written]) -> None:
        """See that all of it is still there, and write again what somebody overwrote. Raises as `publish` does."""
        settle = max(self._settle, _SLOWER * max(one.seconds for one in written))
        for _ in range(_ATTEMPTS):
            await asyncio.sleep(min(settle, _LONGEST_SETTLE))
            lost = [one.shared for one in written if not await self._stands(one.shared)]
            if not lost:
                return
            for shared in lost:
                await self._write(shared)
        raise _lost(lost[0])

    async def _add_signature(self, repository: str, digest: Digest, layer: Blob) -> Written:
        await self._registry.put_blob(repository, layer)
        return await self._write(
            Shared(
                repository,
                simple.tag(digest),
                lambda stored, _: simple.with_layer(stored, layer),
                lambda stored: simple.holds(stored, layer),
            )
        )

    async def _add_bundle(self, repository: str, part: Part, stored: Blob, signed_at: datetime) -> Sequence[Written]:
        referrer = bundle.referrer(part.descriptor(), stored, signed_at)
        await self._registry.put_blob(repository, bundle.EMPTY)
        await self._registry.put_blob(repository, stored)
        if await self._registry.put_manifest(repository, referrer, None):
            return ()
        listed = Shared(
            repository,
            bundle.fallback_tag(part.digest),
            lambda index, gone: [bundle.with_referrer(index, referrer, gone)],
            lambda index: bundle.lists(index, referrer),
            bundle.listed,
        )
        return (await self._write(listed),)

    async def _write(self, shared: Shared) -> Written:
        clock = asyncio.get_running_loop().time
        async with self._writers.setdefault((shared.repository, shared.tag), asyncio.Lock()):
            stored = await self._read(shared)
            if shared.done(stored):
                return Written(shared, 0.0)
            for _ in range(_ATTEMPTS):
                start = clock()
                stored = await self._written(shared, stored)
                if shared.done(stored):
                    return Written(shared, clock() - start)
                await self._pause()
        raise _lost(shared)

    async def _written(self, shared: Shared, stored: Blob | None) -> Blob | None:
        *blobs, manifest = shared.change(stored, ())
        for blob in blobs:
            await self._registry.put_blob(shared.repository, blob)
        try:
            await self._registry.put_manifest(shared.repository, manifest, shared.tag)
        except PushRefused:
            gone = await self._gone(shared, stored)
            if not gone:
                raise
            await self._registry.put_manifest(shared.repository, shared.change(stored, gone)[-1], shared.tag)
        return await self._read(shared)

    async def _gone(self, shared: Shared, stored: Blob | None) -> Collection[Digest]:
        """The manifests that the stored one lists and that are no more: some registries take no index of such."""
        listed = shared.listed(stored)[:_MOST_LISTED]
        return [digest for digest in listed if not await self._registry.has_manifest(shared.repository, digest)]

    async def _read(self, shared: Shared) -> Blob | None:
        for _ in range(_READS - 1):
            try:
                return await self._registry.tagged(shared.repository, shared.tag)
            except RegistryUnavailable:
                # Distribution 2.8 answers 500 while somebody writes the tag.
                await self._pause()
        return await self._registry.tagged(shared.repository, shared.tag)

    async def _stands(self, shared: Shared) -> bool:
        return shared.done(await self._read(shared))

    async def _pause(self) -> None:
        await asyncio.sleep(random.uniform(0, self._longest_pause))  # noqa: S311 - no secret


def _lost(shared: Shared) -> SignatureLost:
    return SignatureLost(
        f"{shared.repository}:{shared.tag} lost the new signature {_ATTEMPTS} times: somebody else writes there at the"
        " same time. Sign again when that has ended."
    )
