"""Decisions in the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from chassis.errors import InvalidArgument
from registry.references import parse_image, parse_reference
from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from policy.records import Alike, Decision, Effect, Outcome, Wanted
from policy.store.tables import decisions


class DecisionRows:
    """Implements the port Decisions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, batch: Sequence[Decision]) -> Sequence[Decision]:
        """Keep those whose ids are not kept yet."""
        ids = [decision.decision_id for decision in batch]
        kept = set(await self._session.scalars(select(decisions.c.decision_id).where(decisions.c.decision_id.in_(ids))))
        new = {decision.decision_id: decision for decision in batch if decision.decision_id not in kept}
        if new:
            await self._session.execute(insert(decisions), [_values(decision) for decision in new.values()])
        return list(new.values())

    async def page(self, wanted: Wanted, before: int, limit: int) -> Sequence[tuple[int, Decision]]:
        """Those below a number, recorded last first."""
        page = (
            select(decisions)
            .where(decisions.c.number < before, *_conditions(wanted))
            .order_by(decisions.c.number.desc())
            .limit(limit)
        )
        return [(row.number, _decision(row)) for row in await self._session.execute(page)]

    async def summary(self, wanted: Wanted, limit: int) -> Sequence[Alike]:
        """Counts of those alike, the largest first."""
        kind = (
            decisions.c.cluster,
            decisions.c.rule,
            decisions.c.outcome,
            decisions.c.effect,
            decisions.c.reason,
        )
        alike, last = func.count().label("alike"), func.max(decisions.c.time).label("last")
        counts = (
            select(*kind, alike, last)
            .where(*_conditions(wanted))
            .group_by(*kind)
            .order_by(alike.desc(), *kind)
            .limit(limit)
        )
        return [
            Alike(row.cluster, row.rule, Outcome(row.outcome), Effect(row.effect), row.reason, row.alike, row.last)
            for row in await self._session.execute(counts)
        ]

    async def delete_old(self, before: datetime, most: int, limit: int) -> int:
        """Delete those too old or too many."""
        newest = await self._session.scalar(select(func.max(decisions.c.number))) or 0
        old = or_(decisions.c.time < before, decisions.c.number <= newest - most)
        numbers = list(await self._session.scalars(select(decisions.c.number).where(old).limit(limit)))
        await self._session.execute(delete(decisions).where(decisions.c.number.in_(numbers)))
        return len(numbers)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.cluster:
        yield decisions.c.cluster == wanted.cluster
    if wanted.namespace:
        yield decisions.c.namespace == wanted.namespace
    if wanted.outcomes:
        yield decisions.c.outcome.in_([outcome.value for outcome in wanted.outcomes])
    if wanted.start:
        yield decisions.c.time >= wanted.start
    if wanted.end:
        yield decisions.c.time < wanted.end
    if wanted.image:
        yield _of_image(wanted.image)


def _of_image(text: str) -> ColumnElement[bool]:
    """The image as it was named, or the repository with the tag and digest that the text has."""
    named = decisions.c.image == text
    try:
        reference = parse_reference(text)
    except InvalidArgument:
        return named
    parts = [decisions.c.repository == reference.name]
    if reference.tag:
        parts.append(decisions.c.tag == reference.tag)
    if reference.digest:
        parts.append(decisions.c.digest == reference.digest)
    return or_(named, and_(*parts))


def _values(decision: Decision) -> dict[str, object]:
    repository, tag = _place(decision.image)
    return {
        "decision_id": decision.decision_id,
        "time": decision.time,
        "cluster": decision.cluster,
        "namespace": decision.namespace,
        "object_kind": decision.object_kind,
        "requester": decision.requester,
        "image": decision.image,
        "repository": repository,
        "tag": tag,
        "found_at": decision.found_at,
        "digest": decision.digest,
        "outcome": decision.outcome.value,
        "effect": decision.effect.value,
        "rule": decision.rule,
        "policy_revision": decision.policy_revision,
        "reason": decision.reasons[0] if decision.reasons else "",
        "reasons": list(decision.reasons),
        "message": decision.message,
        "dry_run": decision.dry_run,
        "correlation_id": decision.correlation_id,
    }


def _place(image: str) -> tuple[str, str]:
    try:
        reference = parse_image(image)
    except InvalidArgument:
        return "", ""
    return reference.name, reference.tag or ""


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        decision_id=row.decision_id,
        time=row.time,
        cluster=row.cluster,
        namespace=row.namespace,
        object_kind=row.object_kind,
        requester=row.requester,
        image=row.image,
        found_at=row.found_at,
        digest=row.digest,
        outcome=Outcome(row.outcome),
        effect=Effect(row.effect),
        rule=row.rule,
        policy_revision=row.policy_revision,
        reasons=tuple(row.reasons),
        message=row.message,
        dry_run=row.dry_run,
        correlation_id=row.correlation_id,
    )
