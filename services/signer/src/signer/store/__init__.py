"""The port to the signer's database: what the use cases read and write, within one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from registry.digests import Digest

from signer.keys.model import Key, KeyVersion
from signer.revocations import Revocation
from signer.signings import Filter, Signing, SigningState
from signer.trust import EarlierSignings, TrustRecord


class Keys(Protocol):
    """Keys and their versions."""

    async def get(self, name: str) -> Key | None:
        """Return the key of this name."""
        ...

    async def page(self, after: str, limit: int) -> Sequence[Key]:
        """Return keys by name, those after `after`."""
        ...

    async def add(self, key: Key, first: KeyVersion) -> None:
        """Add a key with its first version."""
        ...

    async def change(self, key: Key) -> None:
        """Store state, gate and labels of a key that is there."""
        ...

    async def add_version(self, version: KeyVersion) -> None:
        """Add a version."""
        ...

    async def change_version(self, version: KeyVersion) -> None:
        """Store from when on a version is revoked."""
        ...

    async def version(self, key: str, version: int) -> KeyVersion | None:
        """Return a version of a key."""
        ...

    async def versions(self, key: str, before: int, limit: int) -> Sequence[KeyVersion]:
        """Return versions of a key, the newest first, those below `before`."""
        ...

    async def every_version(self) -> Sequence[KeyVersion]:
        """Return every version of every key."""
        ...


class Signings(Protocol):
    """The record of signings."""

    async def add(self, signing: Signing) -> None:
        """Add a signing with its digests and payloads."""
        ...

    async def set_state(self, signing_id: str, state: SigningState, failure: str = "") -> None:
        """Store how far a signing has come."""
        ...

    async def get(self, signing_id: str) -> Signing | None:
        """Return a signing."""
        ...

    async def page(self, wanted: Filter, before: int, limit: int) -> Sequence[tuple[int, Signing]]:
        """Return signings with their numbers, the newest first, those below the number `before`."""
        ...

    async def digests_with(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return every digest of every signing that holds one of these digests."""
        ...


class Revocations(Protocol):
    """Revocations and what they cover."""

    async def add(self, revocation: Revocation) -> None:
        """Add a revocation with the digests that it covers."""
        ...

    async def page(self, before: int, limit: int) -> Sequence[tuple[int, Revocation]]:
        """Return revocations with their numbers, the newest first, those below the number `before`."""
        ...

    async def covering(self, digests: Iterable[Digest]) -> tuple[Digest, Revocation] | None:
        """Return a revocation, of a signing or a digest, that covers one of these digests, and that digest."""
        ...

    async def revoked(self, digests: Iterable[Digest], key: str, version: int) -> Revocation | None:
        """Return a revocation of the signatures on one of these digests by a key version."""
        ...


class Trust(Protocol):
    """The order of changes that verifiers follow."""

    async def counter(self) -> int:
        """Return the counter of the last change; 0 before the first."""
        ...

    async def key_version_changed(self, version: KeyVersion) -> None:
        """Note that a key version is new or another."""
        ...

    async def revoked(self, revocation: Revocation) -> None:
        """Note a new revocation, and what it leaves standing."""
        ...

    async def signed(self, signing_id: str) -> None:
        """Note a new signing."""
        ...

    async def changes(self, after: int, limit: int) -> Sequence[tuple[int, TrustRecord]] | None:
        """Return the changes after a counter, each as it is now; None where they are not kept any more."""
        ...

    async def earlier(self, revocation: Revocation) -> Sequence[EarlierSignings]:
        """Return all that a revocation leaves standing."""
        ...


class Work(Protocol):
    """One transaction: all of it is stored, or nothing."""

    @property
    def keys(self) -> Keys:
        """Keys and their versions."""
        ...

    @property
    def signings(self) -> Signings:
        """The record of signings."""
        ...

    @property
    def revocations(self) -> Revocations:
        """Revocations and what they cover."""
        ...

    @property
    def trust(self) -> Trust:
        """The order of changes that verifiers follow."""
        ...

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does."""
        ...

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        ...

    async def forget_answer(self) -> None:
        """Forget the answer to the request's id: its work failed after all, and may be tried anew."""
        ...


class Store(Protocol):
    """The signer's database."""

    def read(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction that only reads."""
        ...

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction that is stored when the block ends without an exception."""
        ...
