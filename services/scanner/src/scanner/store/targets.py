"""Targets in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.scan_records import Scan, ScanState
from scanner.store.scan_tables import scans, target_images, targets
from scanner.target_records import Search, Target, TargetCounts


class TargetRows:
    """Implements the port Targets within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, target: Target, token_hash: bytes) -> None:
        """Add a target whose search begins; there must be none of its name."""
        begun = {"searching": True, "position": "", "search": 1, "not_before": target.created, "trouble": ""}
        fixed = {"name": target.name, "registry": target.registry, "created": target.created}
        added = insert(targets).values(**fixed, **_values(target), token_hash=token_hash, **begun)
        await self._session.execute(added)

    async def get(self, name: str) -> Target | None:
        """Return a target; None where there is none of that name."""
        row = await self._row(name)
        return _target(row) if row else None

    async def page(self, after: str, limit: int) -> Sequence[Target]:
        """Return targets by name, from after one on."""
        query = select(targets).where(targets.c.name > after).order_by(targets.c.name).limit(limit)
        return [_target(row) for row in (await self._session.execute(query)).mappings()]

    async def put(self, target: Target) -> None:
        """Store a target's changed fields."""
        await self._put(target.name, **_values(target))

    async def delete(self, name: str) -> None:
        """Remove a target, its token and its list of images."""
        number = select(targets.c.number).where(targets.c.name == name).scalar_subquery()
        await self._session.execute(delete(target_images).where(target_images.c.target == number))
        await self._session.execute(delete(targets).where(targets.c.name == name))

    async def token_hash(self, name: str) -> bytes | None:
        """Return the hash of a target's token; None where there is no target of that name."""
        row = await self._row(name)
        return bytes(row["token_hash"]) if row else None

    async def put_token_hash(self, name: str, token_hash: bytes) -> None:
        """Replace the hash of a target's token."""
        await self._put(name, token_hash=token_hash)

    async def search(self, name: str) -> Search:
        """Return how far a target's search is."""
        query = select(targets).where(targets.c.name == name)
        return _search((await self._session.execute(query)).mappings().one())

    async def begin_search(self, name: str, now: datetime) -> None:
        """Let a target's search begin anew."""
        begun = {"searching": True, "position": "", "not_before": now, "trouble": ""}
        await self._put(name, **begun, search=targets.c.search + 1)

    async def put_search(self, name: str, search: Search) -> bool:
        """Store how far a search is; False where another was begun since, or the target is gone."""
        values = {"searching": search.running, "position": search.position, "trouble": search.trouble}
        same = update(targets).where(targets.c.name == name, targets.c.search == search.number)
        stored = same.values(**values, not_before=search.not_before).returning(targets.c.number)
        return (await self._session.execute(stored)).scalar_one_or_none() is not None

    async def next_search(self) -> tuple[Target, Search] | None:
        """Return the enabled target whose search may go on first; None where none is searching."""
        query = select(targets).where(targets.c.searching, targets.c.enabled)
        query = query.order_by(targets.c.not_before, targets.c.number).limit(1)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return (_target(row), _search(row)) if row else None

    async def put_image(self, name: str, repository: str, digest: str, scan: Scan) -> None:
        """Note that an image belongs to a target, and which scan answers for it."""
        number = (await self._session.execute(select(targets.c.number).where(targets.c.name == name))).scalar_one()
        same = (
            (target_images.c.target == number)
            & (target_images.c.repository == repository)
            & (target_images.c.digest == digest)
        )
        changed = update(target_images).where(same).values(scan=scan.number).returning(target_images.c.target)
        if (await self._session.execute(changed)).first() is None:
            values = {"target": number, "repository": repository, "digest": digest, "scan": scan.number}
            await self._session.execute(insert(target_images).values(**values))

    async def images(self, name: str) -> frozenset[tuple[str, str]]:
        """Return a target's images, by repository and digest."""
        query = select(target_images.c.repository, target_images.c.digest).join(targets)
        rows = await self._session.execute(query.where(targets.c.name == name))
        return frozenset((row.repository, row.digest) for row in rows)

    async def resting(self) -> frozenset[tuple[str, str]]:
        """Return the images, by repository and digest, that belong to disabled targets alone."""
        image = (target_images.c.repository, target_images.c.digest)
        enabled = func.sum(case((targets.c.enabled, 1), else_=0))
        rows = await self._session.execute(select(*image).join(targets).group_by(*image).having(enabled == 0))
        return frozenset((row.repository, row.digest) for row in rows)

    async def counts(self, name: str) -> TargetCounts:
        """Count a target's images by how far they are."""
        joined = target_images.join(targets).join(scans, scans.c.number == target_images.c.scan)
        query = select(scans.c.state, func.count()).select_from(joined).where(targets.c.name == name)
        rows = (await self._session.execute(query.group_by(scans.c.state))).all()
        by_state: Mapping[ScanState, int] = {ScanState(state): count for state, count in rows}
        return TargetCounts(
            scanned=by_state.get(ScanState.SUCCEEDED, 0),
            left=by_state.get(ScanState.QUEUED, 0) + by_state.get(ScanState.RUNNING, 0),
            failed=by_state.get(ScanState.FAILED, 0),
        )

    async def _row(self, name: str) -> RowMapping | None:
        query = select(targets).where(targets.c.name == name)
        return (await self._session.execute(query)).mappings().one_or_none()

    async def _put(self, name: str, **values: Any) -> None:
        await self._session.execute(update(targets).where(targets.c.name == name).values(**values))


def _values(target: Target) -> dict[str, Any]:
    return {
        "include": list(target.include),
        "exclude": list(target.exclude),
        "platforms": list(target.platforms),
        "newest": target.newest,
        "enabled": target.enabled,
    }


def _target(row: RowMapping) -> Target:
    return Target(
        name=row["name"],
        registry=row["registry"],
        include=tuple(row["include"]),
        exclude=tuple(row["exclude"]),
        platforms=tuple(row["platforms"]),
        newest=row["newest"],
        enabled=row["enabled"],
        created=row["created"],
    )


def _search(row: RowMapping) -> Search:
    return Search(row["search"], row["searching"], row["position"], row["trouble"], row["not_before"])
