"""Scans in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.risk.model import Counts, RiskState
from scanner.scan_records import (
    LONGEST_PAUSE,
    Failure,
    Request,
    Scan,
    ScanFilter,
    ScannedPlatform,
    ScanState,
    Summary,
    Trigger,
)
from scanner.store.scan_tables import scans, targets

_UNFINISHED = (ScanState.QUEUED.value, ScanState.RUNNING.value)


class ScanRows:
    """Implements the port Scans within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scan_id: str, request: Request, analyzers: Mapping[str, int], now: datetime) -> Scan:
        """Queue a scan; there must be no unfinished one of that image."""
        added = insert(scans).values(
            scan_id=scan_id,
            repository=request.repository,
            digest=request.digest,
            tag=request.tag,
            trigger=request.trigger.value,
            priority=request.trigger.priority,
            target=request.target,
            platforms=list(request.platforms),
            state=ScanState.QUEUED.value,
            attempts=0,
            created=now,
            not_before=now,
            analyzers=dict(analyzers),
        )
        number = int((await self._session.execute(added.returning(scans.c.number))).scalar_one())
        return Scan(
            number, scan_id, request, ScanState.QUEUED, request.trigger.priority, 0, now, now, analyzers=analyzers
        )

    async def get(self, scan_id: str) -> Scan | None:
        """Return a scan; None where there is none of that id."""
        return await self._first(scans.c.scan_id == scan_id)

    async def unfinished(self, repository: str, digest: str) -> Scan | None:
        """Return the scan of an image that has not ended."""
        return await self._first(_of(repository, digest), scans.c.state.in_(_UNFINISHED))

    async def last_success(self, repository: str, digest: str) -> Scan | None:
        """Return the scan of an image that gave an inventory last."""
        return await self._first(_of(repository, digest), scans.c.state == ScanState.SUCCEEDED.value)

    async def hasten(self, scan: Scan, trigger: Trigger, now: datetime) -> None:
        """Let a scan have its turn as early as another trigger gives it; a person's, from now on."""
        earlier: dict[str, Any] = {"priority": min(scan.priority, trigger.priority)}
        if trigger is Trigger.MANUAL:
            earlier["not_before"] = now
        await self._put(scan.scan_id, **earlier)

    async def claim(self, active: Collection[str], now: datetime) -> Scan | None:
        """Return the next scan that may begin and mark it as running, one attempt more."""
        due = or_(scans.c.not_before <= now, scans.c.not_before > now + LONGEST_PAUSE)
        query = select(scans.c.scan_id).where(*_waiting(active), due)
        query = query.order_by(scans.c.priority, scans.c.number).limit(1)
        scan_id = (await self._session.execute(query)).scalar_one_or_none()
        if scan_id is None:
            return None
        taken = {"state": ScanState.RUNNING.value, "attempts": scans.c.attempts + 1, "started": now}
        await self._session.execute(update(scans).where(scans.c.scan_id == scan_id).values(**taken))
        return await self.get(scan_id)

    async def next_time(self, active: Collection[str]) -> datetime | None:
        """Return when the next scan may begin; None where none waits."""
        query = select(scans.c.not_before).where(*_waiting(active)).order_by(scans.c.not_before).limit(1)
        found: datetime | None = (await self._session.execute(query)).scalar_one_or_none()
        return found

    async def postpone(self, scan_id: str, failure: Failure, not_before: datetime) -> None:
        """Queue a running scan again, with what stood in its way."""
        again = {"state": ScanState.QUEUED.value, "not_before": not_before}
        await self._put(scan_id, **again, reason=failure.reason, message=failure.message)

    async def put_back(self, scan_id: str, trouble: Failure, not_before: datetime) -> None:
        """Queue a running scan again, with what stood in the scanner's own way; the attempt does not count."""
        again = {"state": ScanState.QUEUED.value, "not_before": not_before, "attempts": scans.c.attempts - 1}
        await self._put(scan_id, **again, reason=trouble.reason, message=trouble.message)

    async def succeed(self, scan_id: str, summary: Summary, now: datetime) -> None:
        """Note that a scan has ended and what it found."""
        over = {"state": ScanState.SUCCEEDED.value, "ended": now, "reason": None, "message": None}
        await self._put(scan_id, **over, size=summary.size, summary=_summary_values(summary))

    async def fail(self, scan_id: str, failure: Failure, now: datetime) -> None:
        """Note that a scan has ended, and why it failed."""
        over = {"state": ScanState.FAILED.value, "ended": now}
        await self._put(scan_id, **over, reason=failure.reason, message=failure.message)

    async def page(self, asked: ScanFilter, before: int | None, limit: int) -> Sequence[Scan]:
        """Return scans, the newest first, from below a number on."""
        conditions = _conditions(asked) + ([] if before is None else [scans.c.number < before])
        query = select(scans).where(*conditions).order_by(scans.c.number.desc()).limit(limit)
        return [_scan(row) for row in (await self._session.execute(query)).mappings()]

    async def queued(self) -> int:
        """Return how many scans have not ended."""
        query = select(func.count()).select_from(scans).where(scans.c.state.in_(_UNFINISHED))
        return int((await self._session.execute(query)).scalar_one())

    async def _first(self, *conditions: ColumnElement[bool]) -> Scan | None:
        query = select(scans).where(*conditions).order_by(scans.c.number.desc()).limit(1)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return _scan(row) if row else None

    async def _put(self, scan_id: str, **values: Any) -> None:
        await self._session.execute(update(scans).where(scans.c.scan_id == scan_id).values(**values))


def _of(repository: str, digest: str) -> ColumnElement[bool]:
    return (scans.c.repository == repository) & (scans.c.digest == digest)


def _waiting(active: Collection[str]) -> list[ColumnElement[bool]]:
    """Unfinished, nobody in this process works on it (`active` are few), and of no disabled target unless a person
    asks.
    """
    disabled = select(targets.c.name).where(targets.c.enabled.is_(False))
    return [
        scans.c.state.in_(_UNFINISHED),
        scans.c.scan_id.not_in(sorted(active)),
        or_(scans.c.target.not_in(disabled), scans.c.priority == Trigger.MANUAL.priority),
    ]


def _conditions(asked: ScanFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.repositories is not None:
        conditions.append(scans.c.repository.in_(sorted(asked.repositories)))
    if asked.digest:
        conditions.append(scans.c.digest == asked.digest)
    if asked.target:
        conditions.append(scans.c.target == asked.target)
    if asked.states:
        conditions.append(or_(*(scans.c.state == state.value for state in asked.states)))
    if asked.triggers:
        conditions.append(or_(*(scans.c.trigger == trigger.value for trigger in asked.triggers)))
    return conditions


def _scan(row: RowMapping) -> Scan:
    return Scan(
        number=row["number"],
        scan_id=row["scan_id"],
        request=Request(
            repository=row["repository"],
            digest=row["digest"],
            trigger=Trigger(row["trigger"]),
            tag=row["tag"],
            target=row["target"],
            platforms=tuple(row["platforms"]),
        ),
        state=ScanState(row["state"]),
        priority=row["priority"],
        attempts=row["attempts"],
        created=row["created"],
        not_before=row["not_before"],
        started=row["started"],
        ended=row["ended"],
        failure=Failure(row["reason"], row["message"]) if row["reason"] else None,
        summary=_summary(row) if row["summary"] else None,
        analyzers=row["analyzers"],
    )


def _summary_values(summary: Summary) -> dict[str, Any]:
    return {
        "platforms": [[one.platform, one.digest, dict(one.packages)] for one in summary.platforms],
        "left_out": list(summary.left_out),
        "reading": summary.reading.total_seconds(),
        "matching": summary.matching.total_seconds(),
        "advisory_revision": summary.advisory_revision,
        "risk_state": summary.risk_state.value,
        "counts": list(summary.counts.by_severity),
    }


def _summary(row: RowMapping) -> Summary:
    values = row["summary"]
    return Summary(
        platforms=tuple(ScannedPlatform(*platform) for platform in values["platforms"]),
        left_out=tuple(values["left_out"]),
        size=row["size"],
        reading=timedelta(seconds=values["reading"]),
        matching=timedelta(seconds=values["matching"]),
        advisory_revision=values["advisory_revision"],
        risk_state=RiskState(values["risk_state"]),
        counts=Counts(tuple(values["counts"])),
    )
