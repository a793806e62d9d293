"""Advisories and feeds in the database."""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.advisories.advisory import Advisory
from scanner.advisories.merging import Known
from scanner.advisories.naming import Names
from scanner.risk.freshness import Feed
from scanner.store.chunks import chunked
from scanner.store.tables import (
    advisories,
    advisory_feeds,
    advisory_names,
    advisory_vulnerabilities,
    affected,
    feeds,
    imports,
)

_PARTS = (advisory_names, advisory_feeds, affected)
"""What is written anew when an advisory changes; its vulnerabilities follow from naming."""


class AdvisoryRows:
    """Implements the port Advisories within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known(self, record_ids: Iterable[str]) -> dict[str, Known]:
        """Return those of these records that are held."""
        found: dict[str, Known] = {}
        for chunk in chunked(record_ids):
            query = select(advisories.c.record_id, advisories.c.number, advisories.c.modified)
            rows = await self._session.execute(query.where(advisories.c.record_id.in_(chunk)))
            found |= {record_id: Known(number, modified) for record_id, number, modified in rows}
        return found

    async def add(self, added: Sequence[Advisory]) -> set[int]:
        """Add records that are not held; returns their numbers."""
        if not added:
            return set()
        await self._session.execute(insert(advisories), [_values(advisory) for advisory in added])
        return await self._put_parts(added)

    async def replace(self, replaced: Mapping[int, Advisory]) -> None:
        """Put newer records in the place of those held, by number."""
        await self._drop_parts(replaced)
        for number, advisory in replaced.items():
            await self._session.execute(
                update(advisories).where(advisories.c.number == number).values(**_values(advisory))
            )
        if replaced:
            await self._put_parts(list(replaced.values()))

    async def remove(self, numbers: Collection[int]) -> None:
        """Remove records."""
        await self._drop_parts(numbers)
        for chunk in chunked(numbers):
            of_chunk = advisory_vulnerabilities.c.advisory.in_(chunk)
            await self._session.execute(delete(advisory_vulnerabilities).where(of_chunk))
            await self._session.execute(delete(advisories).where(advisories.c.number.in_(chunk)))

    async def _drop_parts(self, numbers: Iterable[int]) -> None:
        for chunk in chunked(numbers):
            for table in _PARTS:
                await self._session.execute(delete(table).where(table.c.advisory.in_(chunk)))

    async def _put_parts(self, put: Sequence[Advisory]) -> set[int]:
        numbers = {
            record_id: known.number
            for record_id, known in (await self.known(advisory.names.record_id for advisory in put)).items()
        }
        numbered = [(numbers[advisory.names.record_id], advisory) for advisory in put]
        await self._insert_all(
            advisory_names,
            [{"advisory": number, "name": name} for number, advisory in numbered for name in set(advisory.names.own)],
        )
        await self._insert_all(
            advisory_feeds,
            [{"advisory": number, "feed": feed} for number, advisory in numbered for feed in advisory.feeds],
        )
        await self._insert_all(affected, [row for number, advisory in numbered for row in _intervals(number, advisory)])
        return set(numbers.values())

    async def _insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        for chunk in chunked(rows):
            await self._session.execute(insert(table), chunk)

    async def packages_of(self, numbers: Iterable[int]) -> set[tuple[str, str]]:
        """Return the (ecosystem, name) of the packages that these advisories speak of."""
        found: set[tuple[str, str]] = set()
        for chunk in chunked(numbers):
            query = select(affected.c.ecosystem, affected.c.name).where(affected.c.advisory.in_(chunk)).distinct()
            found |= {(ecosystem, name) for ecosystem, name in await self._session.execute(query)}
        return found

    async def only_in(self, feed: str, ecosystems: Collection[str]) -> dict[str, int]:
        """Return the records, with their numbers, that speak of a feed and of none but these."""
        others = select(advisory_feeds.c.advisory).where(advisory_feeds.c.feed.not_in(ecosystems))
        query = (
            select(advisories.c.record_id, advisories.c.number)
            .join(advisory_feeds, advisory_feeds.c.advisory == advisories.c.number)
            .where(advisory_feeds.c.feed == feed, advisories.c.number.not_in(others))
        )
        return {row.record_id: row.number for row in await self._session.execute(query)}

    async def counts(self, ecosystems: Collection[str]) -> dict[str, int]:
        """Return how many records that are not withdrawn each of these feeds holds."""
        query = (
            select(advisory_feeds.c.feed, func.count().label("records"))
            .join(advisories, advisories.c.number == advisory_feeds.c.advisory)
            .where(advisory_feeds.c.feed.in_(ecosystems), advisories.c.withdrawn.is_(False))
            .group_by(advisory_feeds.c.feed)
        )
        return {row.feed: row.records for row in await self._session.execute(query)}

    async def releases(self, ecosystem: str) -> tuple[str, ...]:
        """Return the ecosystems with this name, whichever their release, that some advisory affects."""
        query = (
            select(affected.c.ecosystem)
            .where(
                (affected.c.ecosystem == ecosystem) | affected.c.ecosystem.startswith(f"{ecosystem}:", autoescape=True)
            )
            .distinct()
        )
        return tuple(sorted((await self._session.execute(query)).scalars()))

    async def feeds(self) -> dict[str, Feed]:
        """Return every feed that was ever imported, by its ecosystem."""
        rows = (await self._session.execute(select(feeds).order_by(feeds.c.ecosystem))).mappings()
        return {
            row["ecosystem"]: Feed(
                row["ecosystem"], row["as_of"], row["last_imported"], row["advisories"], tuple(row["releases"])
            )
            for row in rows
        }

    async def put_feed(self, feed: Feed) -> None:
        """Store how a feed stands."""
        await self._session.execute(delete(feeds).where(feeds.c.ecosystem == feed.ecosystem))
        await self._session.execute(
            insert(feeds).values(
                ecosystem=feed.ecosystem,
                as_of=feed.as_of,
                last_imported=feed.last_imported,
                advisories=feed.advisories,
                releases=list(feed.releases),
            )
        )

    async def add_import(self, ecosystems: Sequence[str], as_of: datetime, time: datetime) -> int:
        """Note an import; returns its number."""
        added = insert(imports).values(ecosystems=list(ecosystems), as_of=as_of, time=time)
        return int((await self._session.execute(added.returning(imports.c.number))).scalar_one())

    async def revision(self) -> int:
        """Return the number of the last import; 0 before the first."""
        return (await self._session.execute(select(func.max(imports.c.number)))).scalar_one() or 0

    async def names_around(self, names: Iterable[str]) -> list[tuple[int, Names]]:
        """Return the numbers and names of every advisory that is of one group with these ids."""
        found: dict[int, Names] = {}
        asked: set[str] = set()
        wanted = set(names)
        while wanted:
            asked |= wanted
            news = await self._names_with(wanted)
            wanted = {name for number, names in news.items() if number not in found for name in names.own} - asked
            found |= news
        return list(found.items())

    async def _names_with(self, names: Iterable[str]) -> dict[int, Names]:
        found: dict[int, Names] = {}
        for chunk in chunked(names):
            sharing = select(advisory_names.c.advisory).where(advisory_names.c.name.in_(chunk))
            query = select(advisories.c.number, advisories.c.record_id, advisories.c.aliases, advisories.c.upstream)
            rows = await self._session.execute(query.where(advisories.c.number.in_(sharing)))
            found |= {number: Names(own, tuple(aliases), tuple(upstream)) for number, own, aliases, upstream in rows}
        return found

    async def names_of(self, numbers: Iterable[int]) -> set[str]:
        """Return the ids that mean the same as one of these advisories."""
        found: set[str] = set()
        for chunk in chunked(numbers):
            query = select(advisory_names.c.name).where(advisory_names.c.advisory.in_(chunk))
            found |= set((await self._session.execute(query)).scalars())
        return found

    async def vulnerabilities_of(self, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the vulnerabilities that each of these advisories speaks of, in order."""
        found: dict[int, list[str]] = defaultdict(list)
        for chunk in chunked(numbers):
            query = select(advisory_vulnerabilities).where(advisory_vulnerabilities.c.advisory.in_(chunk))
            for number, vulnerability in await self._session.execute(query):
                found[number].append(vulnerability)
        return {number: tuple(sorted(vulnerabilities)) for number, vulnerabilities in found.items()}

    async def put_vulnerabilities(self, vulnerabilities: Mapping[int, Sequence[str]]) -> None:
        """Store which vulnerabilities each of these advisories speaks of."""
        for chunk in chunked(vulnerabilities):
            of_chunk = advisory_vulnerabilities.c.advisory.in_(chunk)
            await self._session.execute(delete(advisory_vulnerabilities).where(of_chunk))
        rows = [
            {"advisory": number, "vulnerability": vulnerability}
            for number, names in vulnerabilities.items()
            for vulnerability in names
        ]
        await self._insert_all(advisory_vulnerabilities, rows)


def _values(advisory: Advisory) -> dict[str, Any]:
    return {
        "record_id": advisory.names.record_id,
        "modified": advisory.modified,
        "published": advisory.published,
        "withdrawn": advisory.is_withdrawn,
        "severity": int(advisory.severity),
        "aliases": list(advisory.names.aliases),
        "upstream": list(advisory.names.upstream),
        "body": zlib.compress(advisory.body, 6),
    }


def _intervals(number: int, advisory: Advisory) -> Iterable[dict[str, Any]]:
    for package in advisory.affected:
        for interval in package.intervals:
            yield {
                "advisory": number,
                "ecosystem": package.ecosystem,
                "name": package.name,
                "low": interval.low,
                "high": interval.high,
                "fixed": interval.fixed,
                "comparable": interval.comparable,
                "severity": int(package.severity),
            }
