"""What the registry holds about digests, remembered: signatures while there is room, their absence for seconds.

An error is remembered nowhere: it says nothing about what is there.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from registry.digests import Digest
from registry.references import Reference

from verifier.evidence.claims import Signature
from verifier.evidence.findings import Stored
from verifier.evidence.lru import Lru
from verifier.evidence.strict import count_values

ABSENCE = 5.0
"""For how many seconds "no signature found", or "none that suffices", is believed."""

_OVERHEAD = 1024
_VALUE = 256
"""About the most bytes that a member or element of a parsed claim takes."""

Target: TypeAlias = tuple[str, str]
"""A repository (`host/repository`) and a digest."""


class Reader(Protocol):
    """Reads signatures from registries."""

    async def signatures(self, image: Reference, digest: Digest) -> tuple[Stored, ...]:
        """Everything in the place of a signature of the digest in the image's repository. Raises Rejection."""


class Monotonic(Protocol):
    """A clock that nobody sets."""

    def monotonic(self) -> float:
        """Seconds since some moment."""


class LookupMetrics(Protocol):
    """Counts how often what is remembered suffices."""

    def lookup(self, *, remembered: bool) -> None:
        """A digest was looked up: from memory, or from the registry."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the registry held at a moment (monotonic seconds)."""

    stored: tuple[Stored, ...]
    at: float

    @property
    def bytes(self) -> int:
        """What it weighs in memory, about."""
        return _OVERHEAD + sum(map(_weight, self.stored))


def _weight(stored: Stored) -> int:
    if not isinstance(stored, Signature):
        return _OVERHEAD
    return _OVERHEAD + 2 * len(stored.signed) + _VALUE * sum(map(count_values, stored.claims.annotations.values()))


class Lookups:
    """Looks digests up once for all who ask at the same time, and remembers what was found."""

    def __init__(self, reader: Reader, clock: Monotonic, metrics: LookupMetrics, capacity: int) -> None:
        """`capacity` is in bytes, about."""
        self._reader = reader
        self._clock = clock
        self._metrics = metrics
        self._remembered: Lru[Target, Lookup] = Lru(capacity, lambda lookup: lookup.bytes)
        self._flights: dict[Target, asyncio.Task[Lookup]] = {}

    async def look(self, image: Reference, digest: Digest, *, anew: bool = False) -> Lookup:
        """What the registry holds of the digest in the image's repository, as remembered, or `anew` where that is older
        than five seconds. Raises Rejection REGISTRY_NOT_ALLOWED, REGISTRY_UNAVAILABLE or LIMIT_EXCEEDED.
        """
        target = (image.name, digest)
        lookup = self._remembered.get(target)
        if lookup is not None and not ((anew or not lookup.stored) and self.is_aged(lookup)):
            self._metrics.lookup(remembered=True)
            return lookup
        self._metrics.lookup(remembered=False)
        return await asyncio.shield(self._flight(target, image, digest))

    def is_aged(self, lookup: Lookup) -> bool:
        """Whether something may have been added since, as far as that is worth asking."""
        return self._clock.monotonic() - lookup.at > ABSENCE

    def forget(self, repository: str, digests: Iterable[str]) -> None:
        """Something was signed: what is remembered of it, or being looked up now, may lack the new signature."""
        for digest in digests:
            self._remembered.drop((repository, digest))
            self._flights.pop((repository, digest), None)

    @property
    def weight(self) -> int:
        """Bytes remembered, about."""
        return self._remembered.weight

    def _flight(self, target: Target, image: Reference, digest: Digest) -> asyncio.Task[Lookup]:
        flight = self._flights.get(target)
        if flight is None:
            flight = asyncio.create_task(self._read(image, digest))
            self._flights[target] = flight
            flight.add_done_callback(lambda done: self._land(target, done))
        return flight

    async def _read(self, image: Reference, digest: Digest) -> Lookup:
        at = self._clock.monotonic()
        return Lookup(await self._reader.signatures(image, digest), at)

    def _land(self, target: Target, done: asyncio.Task[Lookup]) -> None:
        failed = done.cancelled() or done.exception() is not None
        if self._flights.get(target) is not done:
            return
        del self._flights[target]
        if not failed:
            self._remembered.put(target, done.result())
