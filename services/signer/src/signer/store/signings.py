"""Signings in the database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from registry.digests import Digest
from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from signer.risk import GateEvidence, Severity
from signer.signings import Filter, Format, SignedDigest, SignedPayload, Signing, SigningState
from signer.store.tables import key_versions, signed_digests, signed_payloads, signings
from signer.trust import EarlierSigning


class SigningRows:
    """Implements the port Signings within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, signing: Signing) -> None:
        """Add a signing with its digests and payloads."""
        await self._session.execute(insert(signings).values(**_values(signing)))
        digests = [_digest_values(signing, position) for position in range(len(signing.digests))]
        await self._session.execute(insert(signed_digests), digests)
        payloads = [
            {
                "signing_id": signing.signing_id,
                "position": position,
                "form": payload.form.value,
                "sha256": payload.sha256,
            }
            for position, signed in enumerate(signing.digests)
            for payload in signed.payloads
        ]
        await self._session.execute(insert(signed_payloads), payloads)

    async def set_state(self, signing_id: str, state: SigningState, failure: str = "") -> None:
        """Store how far a signing has come."""
        changed = update(signings).where(signings.c.signing_id == signing_id)
        await self._session.execute(changed.values(state=state.value, failure=failure))

    async def get(self, signing_id: str) -> Signing | None:
        """Return a signing."""
        found = await self._read(_signings().where(signings.c.signing_id == signing_id))
        return found[0][1] if found else None

    async def page(self, wanted: Filter, before: int, limit: int) -> list[tuple[int, Signing]]:
        """Return signings with their numbers, the newest first, those below the number `before`."""
        query = _signings().where(signings.c.number < before).order_by(signings.c.number.desc()).limit(limit)
        if wanted.repository:
            query = query.where(signings.c.repository == wanted.repository)
        if wanted.key:
            query = query.where(signings.c.key == wanted.key)
        if wanted.digest:
            query = query.where(signings.c.signing_id.in_(_holding([wanted.digest])))
        return await self._read(query)

    async def digests_with(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return every digest of every signing that holds one of these digests."""
        query = select(signed_digests.c.digest).where(signed_digests.c.signing_id.in_(_holding(list(digests))))
        return set((await self._session.execute(query.distinct())).scalars())

    async def count_before(self, key: str, version: int, start: datetime) -> int:
        """Return how many payloads a key version signed that were recorded before a time."""
        counted = select(func.count()).select_from(_before(key, version, start).subquery())
        return int((await self._session.execute(counted)).scalar_one())

    async def before(self, key: str, version: int, start: datetime, offset: int, limit: int) -> list[EarlierSigning]:
        """Return payloads of a key version that were recorded before a time, in the order of recording."""
        query = _before(key, version, start).offset(offset).limit(limit)
        return [EarlierSigning(row.signing_id, row.sha256) for row in await self._session.execute(query)]

    async def _read(self, query: Select[Any]) -> list[tuple[int, Signing]]:
        rows = (await self._session.execute(query)).mappings().all()
        digests = await self._digests([row["signing_id"] for row in rows])
        return [(row["number"], _signing(row, digests[row["signing_id"]])) for row in rows]

    async def _digests(self, signing_ids: Sequence[str]) -> Mapping[str, tuple[SignedDigest, ...]]:
        held = select(signed_digests).where(signed_digests.c.signing_id.in_(signing_ids))
        rows = (await self._session.execute(held.order_by(signed_digests.c.position))).mappings()
        payloads = await self._payloads(signing_ids)
        found: dict[str, tuple[SignedDigest, ...]] = defaultdict(tuple)
        for row in rows:
            of_digest = payloads[row["signing_id"], row["position"]]
            found[row["signing_id"]] += (SignedDigest(row["digest"], _evidence(row["gate"]), of_digest),)
        return found

    async def _payloads(self, signing_ids: Sequence[str]) -> Mapping[tuple[str, int], tuple[SignedPayload, ...]]:
        query = select(signed_payloads).where(signed_payloads.c.signing_id.in_(signing_ids))
        rows = (await self._session.execute(query.order_by(signed_payloads.c.form.desc()))).mappings()
        found: dict[tuple[str, int], tuple[SignedPayload, ...]] = defaultdict(tuple)
        for row in rows:
            found[row["signing_id"], row["position"]] += (SignedPayload(Format(row["form"]), row["sha256"]),)
        return found


def _signings() -> Select[Any]:
    version = (key_versions.c.key == signings.c.key) & (key_versions.c.version == signings.c.key_version)
    return select(signings, key_versions.c.fingerprint).select_from(signings.join(key_versions, version))


def _holding(digests: Sequence[Digest]) -> Select[Any]:
    return select(signed_digests.c.signing_id).where(signed_digests.c.digest.in_(digests))


def _before(key: str, version: int, start: datetime) -> Select[Any]:
    joined = signed_payloads.join(signings, signings.c.signing_id == signed_payloads.c.signing_id)
    by_version = (signings.c.key == key) & (signings.c.key_version == version) & (signings.c.signed_at < start)
    ordered = (signings.c.number, signed_payloads.c.position, signed_payloads.c.form)
    query = select(signed_payloads.c.signing_id, signed_payloads.c.sha256)
    return query.select_from(joined).where(by_version).order_by(*ordered)


def _values(signing: Signing) -> dict[str, Any]:
    return {
        "signing_id": signing.signing_id,
        "repository": signing.repository,
        "tag": signing.tag,
        "key": signing.key,
        "key_version": signing.key_version,
        "signer": signing.signer,
        "signed_at": signing.signed_at,
        "claims": dict(signing.claims),
        "state": signing.state.value,
        "failure": signing.failure,
    }


def _digest_values(signing: Signing, position: int) -> dict[str, Any]:
    signed = signing.digests[position]
    gate = {
        "scan_id": signed.gate.scan_id,
        "as_of": signed.gate.as_of.isoformat() if signed.gate.as_of else None,
        "worst": signed.gate.worst.value if signed.gate.worst else None,
        "counts": {severity.value: count for severity, count in signed.gate.counts.items()},
    }
    return {"signing_id": signing.signing_id, "position": position, "digest": signed.digest, "gate": gate}


def _evidence(stored: Mapping[str, Any]) -> GateEvidence:
    return GateEvidence(
        scan_id=stored["scan_id"],
        as_of=datetime.fromisoformat(stored["as_of"]) if stored["as_of"] else None,
        worst=Severity(stored["worst"]) if stored["worst"] else None,
        counts={Severity(name): count for name, count in stored["counts"].items()},
    )


def _signing(row: RowMapping, digests: tuple[SignedDigest, ...]) -> Signing:
    return Signing(
        signing_id=row["signing_id"],
        repository=row["repository"],
        tag=row["tag"],
        key=row["key"],
        key_version=row["key_version"],
        fingerprint=row["fingerprint"],
        signer=row["signer"],
        signed_at=row["signed_at"],
        claims=row["claims"],
        state=SigningState(row["state"]),
        digests=digests,
        failure=row["failure"],
    )
