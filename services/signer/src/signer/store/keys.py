"""Keys and their versions in the database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from signer.gate import Gate
from signer.keys.algorithms import Algorithm
from signer.keys.model import Key, KeyState, KeyVersion, Purpose
from signer.risk import Severity
from signer.store.tables import key_versions, keys


class KeyRows:
    """Implements the port Keys within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, name: str) -> Key | None:
        """Return the key of this name."""
        row = (await self._session.execute(_keys().where(keys.c.name == name))).mappings().one_or_none()
        return _key(row) if row else None

    async def page(self, after: str, limit: int) -> list[Key]:
        """Return keys by name, those after `after`."""
        query = _keys().where(keys.c.name > after).order_by(keys.c.name).limit(limit)
        return [_key(row) for row in (await self._session.execute(query)).mappings()]

    async def add(self, key: Key, first: KeyVersion) -> None:
        """Add a key with its first version."""
        values = {"name": key.name, "vault": key.vault, "purpose": key.purpose.value, "created_at": key.created_at}
        await self._session.execute(insert(keys).values(**values, **_changeable(key)))
        await self.add_version(first)

    async def change(self, key: Key) -> None:
        """Store state, gate and labels of a key that is there."""
        await self._session.execute(update(keys).where(keys.c.name == key.name).values(**_changeable(key)))

    async def add_version(self, version: KeyVersion) -> None:
        """Add a version."""
        values = {
            "key": version.key,
            "version": version.version,
            "algorithm": version.algorithm.value,
            "public_key": version.public_key,
            "fingerprint": version.fingerprint,
            "handle": version.handle,
            "created_at": version.created_at,
            "revoked_from": version.revoked_from,
        }
        await self._session.execute(insert(key_versions).values(**values))

    async def change_version(self, version: KeyVersion) -> None:
        """Store from when on a version is revoked."""
        same = (key_versions.c.key == version.key) & (key_versions.c.version == version.version)
        await self._session.execute(update(key_versions).where(same).values(revoked_from=version.revoked_from))

    async def version(self, key: str, version: int) -> KeyVersion | None:
        """Return a version of a key."""
        query = _versions().where(key_versions.c.key == key, key_versions.c.version == version)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return _version(row) if row else None

    async def versions(self, key: str, before: int, limit: int) -> list[KeyVersion]:
        """Return versions of a key, the newest first, those below `before`."""
        of_key = _versions().where(key_versions.c.key == key, key_versions.c.version < before)
        query = of_key.order_by(key_versions.c.version.desc()).limit(limit)
        return [_version(row) for row in (await self._session.execute(query)).mappings()]

    async def every_version(self) -> Sequence[KeyVersion]:
        """Return every version of every key."""
        query = _versions().order_by(key_versions.c.key, key_versions.c.version)
        return [_version(row) for row in (await self._session.execute(query)).mappings()]


def _keys() -> Select[Any]:
    newest = select(key_versions.c.key, func.max(key_versions.c.version).label("version"))
    current = newest.group_by(key_versions.c.key).subquery()
    joined = keys.join(current, current.c.key == keys.c.name).join(
        key_versions, (key_versions.c.key == current.c.key) & (key_versions.c.version == current.c.version)
    )
    return select(keys, key_versions.c.version, key_versions.c.algorithm).select_from(joined)


def _versions() -> Select[Any]:
    joined = key_versions.join(keys, keys.c.name == key_versions.c.key)
    return select(key_versions, keys.c.purpose, keys.c.state).select_from(joined)


def _key(row: RowMapping) -> Key:
    return Key(
        name=row["name"],
        vault=row["vault"],
        purpose=Purpose(row["purpose"]),
        state=KeyState(row["state"]),
        current_version=row["version"],
        algorithm=Algorithm(row["algorithm"]),
        gate=_gate(row["gate"]) if row["gate"] is not None else None,
        labels=row["labels"],
        created_at=row["created_at"],
    )


def _version(row: RowMapping) -> KeyVersion:
    return KeyVersion(
        key=row["key"],
        version=row["version"],
        purpose=Purpose(row["purpose"]),
        algorithm=Algorithm(row["algorithm"]),
        public_key=row["public_key"],
        fingerprint=row["fingerprint"],
        handle=row["handle"],
        state=KeyState(row["state"]),
        created_at=row["created_at"],
        revoked_from=row["revoked_from"],
    )


def _changeable(key: Key) -> dict[str, Any]:
    gate = _gate_json(key.gate) if key.gate else None
    return {"state": key.state.value, "gate": gate, "labels": dict(key.labels)}


def _gate_json(gate: Gate) -> dict[str, Any]:
    return {
        "max_severity": gate.max_severity.value,
        "max_age_seconds": gate.max_age.total_seconds(),
        "ignore_unfixed": gate.ignore_unfixed,
        "unknown_as": gate.unknown_as.value,
        "allow_unreadable": gate.allow_unreadable,
    }


def _gate(stored: Mapping[str, Any]) -> Gate:
    return Gate(
        max_severity=Severity(stored["max_severity"]),
        max_age=timedelta(seconds=stored["max_age_seconds"]),
        ignore_unfixed=stored["ignore_unfixed"],
        unknown_as=Severity(stored["unknown_as"]),
        allow_unreadable=stored["allow_unreadable"],
    )
