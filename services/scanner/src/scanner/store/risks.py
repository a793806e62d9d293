"""Image risks, their history and the feed sets, in the database, in the order of the stream that readers follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, Select, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.risk.assess import AssessedImage, IndexFacts
from scanner.risk.model import Counts, FeedSet, ImageRisk, RiskCause, RiskChange, RiskState
from scanner.store.chunks import chunked
from scanner.store.encoding import facts_of, feed_set_of, risk_of, risk_values, still_of
from scanner.store.tables import feed_sets, image_platforms, image_risks, images, risk_changes, risk_position


class RiskRows:
    """Implements the port Risks within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.changed_anything = False
        """Whether this transaction brings something new to the stream."""

    async def counter(self) -> int:
        """Return the position of the last change; 0 before the first."""
        return int((await self._session.execute(select(risk_position.c.counter))).scalar_one())

    async def _positions(self, count: int) -> range:
        """Take as many new positions of the stream."""
        raised = update(risk_position).values(counter=risk_position.c.counter + count)
        last = int((await self._session.execute(raised.returning(risk_position.c.counter))).scalar_one())
        self.changed_anything = True
        return range(last - count + 1, last + 1)

    async def of(self, numbers: Iterable[int]) -> dict[int, ImageRisk]:
        """Return the risks of these images, by their numbers."""
        found: dict[int, ImageRisk] = {}
        for chunk in chunked(numbers):
            rows = (await self._session.execute(_risks().where(image_risks.c.image.in_(chunk)))).mappings()
            found |= {row["image"]: risk_of(row) for row in rows}
        return found

    async def get(self, repository: str, digest: str) -> ImageRisk | None:
        """Return the risk of an image; None where it is not known."""
        query = _risks().where(images.c.repository == repository, images.c.digest == digest)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return risk_of(row) if row else None

    async def put(self, risks: Mapping[int, ImageRisk]) -> None:
        """Store risks by the numbers of their images, each as a change of the stream."""
        if not risks:
            return
        positions = dict(zip(risks, await self._positions(len(risks)), strict=True))
        for chunk in chunked(risks):
            await self._session.execute(delete(image_risks).where(image_risks.c.image.in_(chunk)))
            rows = [
                {"image": number} | risk_values(risks[number]) | {"revision": positions[number]} for number in chunk
            ]
            await self._session.execute(insert(image_risks), rows)

    async def add_changes(self, changes: Mapping[int, RiskChange]) -> None:
        """Add to the history of these images."""
        rows = [{"image": number} | _change_values(change) for number, change in changes.items()]
        for chunk in chunked(rows):
            await self._session.execute(insert(risk_changes), chunk)

    async def changes_of(self, image: int, limit: int) -> list[RiskChange]:
        """Return the history of an image's risk, the newest first."""
        query = select(risk_changes).where(risk_changes.c.image == image).order_by(risk_changes.c.number.desc())
        rows = (await self._session.execute(query.limit(limit))).mappings()
        return [
            RiskChange(
                row["time"],
                RiskCause(row["cause"]),
                row["cause_id"],
                RiskState(row["state"]),
                Counts(tuple(row["counts"])),
            )
            for row in rows
        ]

    async def assessed(self, numbers: Iterable[int]) -> list[AssessedImage]:
        """Return these images, as far as they are manifests with an inventory."""
        found: list[AssessedImage] = []
        for chunk in chunked(numbers):
            query = select(images).where(images.c.number.in_(chunk), images.c.package_set.is_not(None))
            found += [_assessed_of(row) for row in (await self._session.execute(query)).mappings()]
        return found

    async def indexes_around(self, numbers: Iterable[int]) -> list[IndexFacts]:
        """Return the indexes that hold one of these manifests, and those of these images that are indexes."""
        found: dict[int, IndexFacts] = {}
        for chunk in chunked(numbers):
            holding = select(image_platforms.c.index_image).where(image_platforms.c.manifest_image.in_(chunk))
            query = select(images).where(or_(images.c.number.in_(chunk), images.c.number.in_(holding)))
            is_index = images.c.last_scanned.is_not(None) & images.c.package_set.is_(None)
            for row in (await self._session.execute(query.where(is_index))).mappings():
                found[row["number"]] = _index_of(row)
        platforms = await self._platforms(found)
        return [replace(index, platforms=tuple(platforms[number])) for number, index in found.items()]

    async def _platforms(self, indexes: Iterable[int]) -> dict[int, list[tuple[str, int]]]:
        found: dict[int, list[tuple[str, int]]] = {number: [] for number in indexes}
        for chunk in chunked(found):
            query = select(image_platforms).where(image_platforms.c.index_image.in_(chunk))
            query = query.order_by(image_platforms.c.platform, image_platforms.c.manifest_image)
            for index, manifest, platform in await self._session.execute(query):
                found[index].append((platform, manifest))
        return found

    async def feed_sets(self) -> dict[str, FeedSet]:
        """Return the feed sets as they were last streamed, by name."""
        rows = (await self._session.execute(select(feed_sets))).mappings()
        return {row["name"]: feed_set_of(row) for row in rows}

    async def put_feed_sets(self, changed: Sequence[FeedSet]) -> None:
        """Store feed sets, each as a change of the stream."""
        if not changed:
            return
        await self._session.execute(delete(feed_sets).where(feed_sets.c.name.in_([one.name for one in changed])))
        positions = await self._positions(len(changed))
        rows = [_feed_set_values(one, revision) for one, revision in zip(changed, positions, strict=True)]
        await self._session.execute(insert(feed_sets), rows)

    async def some(self, after: int, limit: int) -> tuple[list[ImageRisk], int]:
        """Return risks in the order of their images' numbers, after that number, and the last number."""
        query = _risks().where(image_risks.c.image > after).order_by(image_risks.c.image).limit(limit)
        rows = (await self._session.execute(query)).mappings().all()
        return [risk_of(row) for row in rows], rows[-1]["image"] if rows else after

    async def changed(self, after: int, limit: int) -> list[FeedSet | ImageRisk]:
        """Return the feed sets and risks that changed after a position, in the order of their revisions."""
        sets = select(feed_sets).where(feed_sets.c.revision > after).order_by(feed_sets.c.revision).limit(limit)
        risks = _risks().where(image_risks.c.revision > after).order_by(image_risks.c.revision).limit(limit)
        found: list[FeedSet | ImageRisk] = [feed_set_of(row) for row in (await self._session.execute(sets)).mappings()]
        found += [risk_of(row) for row in (await self._session.execute(risks)).mappings()]
        return sorted(found, key=lambda record: record.revision)[:limit]


def _risks() -> Select[Any]:
    return select(image_risks, images.c.repository, images.c.digest).join(
        images, images.c.number == image_risks.c.image
    )


def _assessed_of(row: RowMapping) -> AssessedImage:
    return AssessedImage(
        row["number"],
        row["repository"],
        row["digest"],
        row["scan_id"],
        facts_of(row),
        row["package_set"],
        still_of(row),
    )


def _index_of(row: RowMapping) -> IndexFacts:
    return IndexFacts(row["number"], row["repository"], row["digest"], row["scan_id"], facts_of(row), (), still_of(row))


def _change_values(change: RiskChange) -> dict[str, Any]:
    return {
        "time": change.time,
        "cause": change.cause.value,
        "cause_id": change.cause_id,
        "state": change.state.value,
        "counts": list(change.counts.by_severity),
    }


def _feed_set_values(changed: FeedSet, revision: int) -> dict[str, Any]:
    return {
        "name": changed.name,
        "ecosystems": list(changed.ecosystems),
        "as_of": changed.as_of,
        "reasons": list(changed.reasons),
        "revision": revision,
    }
