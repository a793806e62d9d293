"""Under which key each signature verifies: facts about bytes, remembered while there is room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from chassis.workers import Workers

from verifier.evidence.claims import Signature
from verifier.evidence.findings import Attributed, Finding, Stored
from verifier.evidence.keys import PublicKey
from verifier.evidence.lru import Lru
from verifier.reasons import Code, Rejection

CHECKS = 2000
"""How many checks of a signature under a key one look at an image may cost."""


class Fact(Enum):
    """What is known of a signature and a key."""

    VERIFIED = "VERIFIED"
    BAD = "BAD"


Pair: TypeAlias = tuple[str, str, bytes, str]
"""Repository, digest, the signature's id, the key's fingerprint."""


class AttributionMetrics(Protocol):
    """Counts checks of signatures."""

    def checks(self, *, remembered: int, computed: int) -> None:
        """So many facts were remembered, and so many computed."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys to try: all those that count, and others, to tell whose a signature is, as far as the bound allows."""

    counting: Sequence[PublicKey]
    others: Sequence[PublicKey]


class Attribution:
    """Tries signatures under keys."""

    def __init__(self, workers: Workers, metrics: AttributionMetrics, capacity: int) -> None:
        """`capacity` is in pairs of a signature and a key."""
        self._workers = workers
        self._metrics = metrics
        self._facts: Lru[Pair, Fact] = Lru(capacity, lambda _: 1)

    async def attribute(
        self, repository: str, digest: str, stored: Sequence[Stored], keys: Keys
    ) -> tuple[Finding, ...]:
        """Each signature with the first key under which it verifies. Raises Rejection LIMIT_EXCEEDED."""
        signatures = [item for item in stored if isinstance(item, Signature)]
        if len(signatures) * len(keys.counting) > CHECKS:
            raise Rejection(Code.LIMIT_EXCEEDED, f"{len(signatures)} signatures are too many for so many keys.")
        owners = await self._owners((repository, digest), signatures, keys.counting)
        strangers = [signature for signature in signatures if signature.id not in owners]
        if strangers:
            spare = (CHECKS - len(signatures) * len(keys.counting)) // len(strangers)
            owners |= await self._owners((repository, digest), strangers, keys.others[:spare])
        return tuple(Attributed(item, owners.get(item.id)) if isinstance(item, Signature) else item for item in stored)

    def __len__(self) -> int:
        return len(self._facts)

    async def _owners(
        self, target: tuple[str, str], signatures: Sequence[Signature], keys: Sequence[PublicKey]
    ) -> dict[bytes, PublicKey]:
        unknown: list[tuple[Signature, PublicKey]] = []
        owners: dict[bytes, PublicKey] = {}
        for signature in signatures:
            for key in keys:
                fact = self._facts.get((*target, signature.id, key.fingerprint))
                if fact is Fact.VERIFIED:
                    owners.setdefault(signature.id, key)
                elif fact is None:
                    unknown.append((signature, key))
        self._metrics.checks(remembered=len(signatures) * len(keys) - len(unknown), computed=len(unknown))
        if unknown:
            facts = await self._workers.run(compute, unknown)
            for (signature, key), fact in zip(unknown, facts, strict=True):
                self._facts.put((*target, signature.id, key.fingerprint), fact)
                if fact is Fact.VERIFIED:
                    owners.setdefault(signature.id, key)
        return owners


def compute(pairs: Iterable[tuple[Signature, PublicKey]]) -> list[Fact]:
    """The facts about signatures and keys, in order."""
    return [_fact(signature, key) for signature, key in pairs]


def _fact(signature: Signature, key: PublicKey) -> Fact:
    try:
        key.check(signature.signature, signature.signed)
    except Rejection:
        return Fact.BAD
    return Fact.VERIFIED
