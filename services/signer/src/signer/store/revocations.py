"""Revocations in the database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from registry.digests import Digest
from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from signer.revocations import (
    DigestTarget,
    KeyVersionTarget,
    Revocation,
    SignatureTarget,
    SigningTarget,
    Target,
)
from signer.store.tables import revocations, revoked_digests

_SIGNING, _SIGNATURE, _DIGEST, _KEY_VERSION = "SIGNING", "SIGNATURE", "DIGEST", "KEY_VERSION"


class RevocationRows:
    """Implements the port Revocations within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, revocation: Revocation) -> None:
        """Add a revocation with the digests that it covers."""
        values = {
            "revocation_id": revocation.revocation_id,
            "reason": revocation.reason,
            "revoked_by": revocation.revoked_by,
            "created_at": revocation.created_at,
            **_target_values(revocation.target),
        }
        await self._session.execute(insert(revocations).values(**values))
        if revocation.digests:
            covered = [{"revocation_id": revocation.revocation_id, "digest": digest} for digest in revocation.digests]
            await self._session.execute(insert(revoked_digests), covered)

    async def get(self, revocation_id: str) -> Revocation:
        """Return a revocation that is there."""
        query = select(revocations).where(revocations.c.revocation_id == revocation_id)
        row = (await self._session.execute(query)).mappings().one()
        return _revocation(row, (await self._covered([revocation_id]))[revocation_id])

    async def page(self, before: int, limit: int) -> list[tuple[int, Revocation]]:
        """Return revocations with their numbers, the newest first, those below the number `before`."""
        query = (
            select(revocations).where(revocations.c.number < before).order_by(revocations.c.number.desc()).limit(limit)
        )
        rows = (await self._session.execute(query)).mappings().all()
        covered = await self._covered([row["revocation_id"] for row in rows])
        return [(row["number"], _revocation(row, covered[row["revocation_id"]])) for row in rows]

    async def covering(self, digests: Iterable[Digest]) -> tuple[Digest, Revocation] | None:
        """Return a revocation, of a signing or a digest, that covers one of these digests, and that digest."""
        joined = revoked_digests.join(revocations, revocations.c.revocation_id == revoked_digests.c.revocation_id)
        query = select(revoked_digests.c.digest, revocations.c.revocation_id).select_from(joined)
        whole = revocations.c.kind.in_([_SIGNING, _DIGEST])
        found = await self._session.execute(query.where(whole, revoked_digests.c.digest.in_(list(digests))).limit(1))
        row = found.one_or_none()
        return (row.digest, await self.get(row.revocation_id)) if row else None

    async def revoked(self, digests: Iterable[Digest], key: str, version: int) -> Revocation | None:
        """Return a revocation of the signatures on one of these digests by a key version."""
        by_version = (revocations.c.key == key) & (revocations.c.version == version)
        same = by_version & revocations.c.digest.in_(list(digests))
        query = select(revocations.c.revocation_id).where(revocations.c.kind == _SIGNATURE, same).limit(1)
        revocation_id = (await self._session.execute(query)).scalar_one_or_none()
        return await self.get(revocation_id) if revocation_id else None

    async def _covered(self, revocation_ids: Sequence[str]) -> Mapping[str, tuple[Digest, ...]]:
        query = select(revoked_digests).where(revoked_digests.c.revocation_id.in_(revocation_ids))
        found: dict[str, tuple[Digest, ...]] = defaultdict(tuple)
        for row in (await self._session.execute(query.order_by(revoked_digests.c.digest))).mappings():
            found[row["revocation_id"]] += (row["digest"],)
        return found


def _target_values(target: Target) -> dict[str, Any]:
    match target:
        case SigningTarget(signing_id):
            return {"kind": _SIGNING, "signing_id": signing_id}
        case SignatureTarget(digest, key, version):
            return {"kind": _SIGNATURE, "digest": digest, "key": key, "version": version}
        case DigestTarget(digest):
            return {"kind": _DIGEST, "digest": digest}
        case KeyVersionTarget(key, version, start):
            return {"kind": _KEY_VERSION, "key": key, "version": version, "start": start}


def _target(row: RowMapping) -> Target:
    if row["kind"] == _SIGNING:
        return SigningTarget(row["signing_id"])
    if row["kind"] == _SIGNATURE:
        return SignatureTarget(row["digest"], row["key"], row["version"])
    if row["kind"] == _DIGEST:
        return DigestTarget(row["digest"])
    return KeyVersionTarget(row["key"], row["version"], row["start"])


def _revocation(row: RowMapping, digests: tuple[Digest, ...]) -> Revocation:
    return Revocation(
        revocation_id=row["revocation_id"],
        target=_target(row),
        reason=row["reason"],
        revoked_by=row["revoked_by"],
        created_at=row["created_at"],
        digests=digests,
    )
