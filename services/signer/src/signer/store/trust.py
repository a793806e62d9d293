"""The order of changes that verifiers follow.

Each change has a counter, taken from one row within the transaction of the change, so that changes become visible in
the order of their counters on any database.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from signer.keys.model import KeyVersion
from signer.revocations import KeyVersionTarget, Revocation
from signer.store.keys import KeyRows
from signer.store.revocations import RevocationRows
from signer.store.signings import SigningRows
from signer.store.tables import trust_changes, trust_position
from signer.trust import EarlierSignings, SigningNotice, TrustRecord

EARLIER_IN_A_RECORD: Final = 5000
_KEPT: Final = 20_000  # a reader further behind starts again from a snapshot
_KEY_VERSION, _REVOCATION, _EARLIER, _SIGNING = "KEY_VERSION", "REVOCATION", "EARLIER", "SIGNING"


class TrustRows:
    """Implements the port Trust within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.noted = False
        self._keys = KeyRows(session)
        self._signings = SigningRows(session)
        self._revocations = RevocationRows(session)

    async def counter(self) -> int:
        """Return the counter of the last change; 0 before the first."""
        return int((await self._session.execute(select(trust_position.c.counter))).scalar_one())

    async def key_version_changed(self, version: KeyVersion) -> None:
        """Note that a key version is new or another."""
        await self._note(_KEY_VERSION, f"{version.version}@{version.key}")

    async def revoked(self, revocation: Revocation) -> None:
        """Note a new revocation, and what it leaves standing."""
        await self._note(_REVOCATION, revocation.revocation_id)
        for offset in range(0, await self._earlier_count(revocation), EARLIER_IN_A_RECORD):
            await self._note(_EARLIER, f"{offset}@{revocation.revocation_id}")

    async def signed(self, signing_id: str) -> None:
        """Note a new signing."""
        await self._note(_SIGNING, signing_id)

    async def changes(self, after: int, limit: int) -> list[tuple[int, TrustRecord]] | None:
        """Return the changes after a counter, each as it is now; None where they are not kept any more."""
        oldest = (await self._session.execute(select(func.min(trust_changes.c.counter)))).scalar_one_or_none()
        newest = await self.counter()
        if after > newest or after < (newest if oldest is None else oldest - 1):
            return None
        query = select(trust_changes).where(trust_changes.c.counter > after).order_by(trust_changes.c.counter)
        changes = []
        for row in (await self._session.execute(query.limit(limit))).all():
            changes.append((row.counter, await self._record(row.kind, row.subject)))
            if row.kind == _EARLIER:
                break  # it is large, and what is returned here travels in one answer
        return changes

    async def earlier(self, revocation: Revocation) -> Sequence[EarlierSignings]:
        """Return all that a revocation leaves standing."""
        counted = await self._earlier_count(revocation)
        return [await self._earlier(revocation, offset) for offset in range(0, counted, EARLIER_IN_A_RECORD)]

    async def _note(self, kind: str, subject: str) -> None:
        self.noted = True
        step = update(trust_position).values(counter=trust_position.c.counter + 1)
        counter = (await self._session.execute(step.returning(trust_position.c.counter))).scalar_one()
        await self._session.execute(insert(trust_changes).values(counter=counter, kind=kind, subject=subject))
        await self._session.execute(delete(trust_changes).where(trust_changes.c.counter <= counter - _KEPT))

    async def _record(self, kind: str, subject: str) -> TrustRecord:
        number, _, name = subject.partition("@")
        if kind == _KEY_VERSION:
            return await self._key_version(name, int(number))
        if kind == _REVOCATION:
            return await self._revocations.get(subject)
        if kind == _EARLIER:
            return await self._earlier(await self._revocations.get(name), int(number))
        return await self._signing(subject)

    async def _key_version(self, key: str, number: int) -> KeyVersion:
        version = await self._keys.version(key, number)
        if version is None:
            raise LookupError(f"the store announces {key}@{number} but does not hold it")
        return version

    async def _signing(self, signing_id: str) -> SigningNotice:
        signing = await self._signings.get(signing_id)
        if signing is None:
            raise LookupError(f"the store announces the signing {signing_id} but does not hold it")
        return SigningNotice(signing_id, signing.repository, tuple(signed.digest for signed in signing.digests))

    async def _earlier_count(self, revocation: Revocation) -> int:
        match revocation.target:
            case KeyVersionTarget(key, version, start):
                return await self._signings.count_before(key, version, start)
            case _:
                return 0

    async def _earlier(self, revocation: Revocation, offset: int) -> EarlierSignings:
        match revocation.target:
            case KeyVersionTarget(key, version, start):
                found = await self._signings.before(key, version, start, offset, EARLIER_IN_A_RECORD)
                return EarlierSignings(revocation.revocation_id, tuple(found))
            case _:
                raise LookupError(f"the revocation {revocation.revocation_id} leaves nothing standing")
