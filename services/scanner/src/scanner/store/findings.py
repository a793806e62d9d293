"""Matching and findings in the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.matching import Changes, Facts, FindingKey, Held, Match
from scanner.risk.assess import OpenFinding
from scanner.severity import Severity
from scanner.store.chunks import chunked
from scanner.store.ownership import counts
from scanner.store.tables import (
    advisories,
    advisory_vulnerabilities,
    affected,
    findings,
    package_versions,
    set_members,
)


class FindingRows:
    """Implements the port Findings within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def matches(self, versions: Sequence[int]) -> list[Match]:
        """Return where these package versions lie in an interval of an advisory; a chunk of them at most."""
        in_interval = and_(
            affected.c.low <= package_versions.c.matched_key,
            or_(affected.c.high.is_(None), package_versions.c.matched_key < affected.c.high),
        )
        query = (
            select(
                package_versions.c.number,
                advisory_vulnerabilities.c.vulnerability,
                advisories.c.record_id,
                affected.c.ecosystem,
                affected.c.severity,
                affected.c.fixed,
                affected.c.comparable & package_versions.c.matched_key.is_not(None),
            )
            .join(
                affected,
                and_(
                    affected.c.name == package_versions.c.matched_name,
                    affected.c.ecosystem.in_((package_versions.c.ecosystem, package_versions.c.feed)),
                ),
            )
            .join(advisories, advisories.c.number == affected.c.advisory)
            .join(advisory_vulnerabilities, advisory_vulnerabilities.c.advisory == affected.c.advisory)
            .where(package_versions.c.number.in_(versions))
            .where(or_(package_versions.c.matched_key.is_(None), in_interval))
        )
        rows = (await self._session.execute(query)).all()
        return [
            Match(FindingKey(number, vulnerability), record_id, ecosystem, Severity(severity), fixed, bool(comparable))
            for number, vulnerability, record_id, ecosystem, severity, fixed, comparable in rows
        ]

    async def ratings(self, vulnerabilities: Iterable[str]) -> dict[str, list[tuple[str, Severity]]]:
        """Return every advisory in force, with its severity, that speaks of each of these vulnerabilities."""
        found: dict[str, list[tuple[str, Severity]]] = defaultdict(list)
        for chunk in chunked(vulnerabilities):
            query = (
                select(advisory_vulnerabilities.c.vulnerability, advisories.c.record_id, advisories.c.severity)
                .join(advisories, advisories.c.number == advisory_vulnerabilities.c.advisory)
                .where(advisory_vulnerabilities.c.vulnerability.in_(chunk), advisories.c.withdrawn.is_(False))
            )
            for vulnerability, record_id, severity in await self._session.execute(query):
                found[vulnerability].append((record_id, Severity(severity)))
        return found

    async def held(self, versions: Sequence[int]) -> dict[FindingKey, Held]:
        """Return the findings of these package versions, open and closed; a chunk of them at most."""
        rows = (
            await self._session.execute(select(findings).where(findings.c.package_version.in_(versions)))
        ).mappings()
        return {
            FindingKey(row["package_version"], row["vulnerability"]): Held(
                row["number"],
                Facts(
                    Severity(row["severity"]),
                    tuple(row["fixed_versions"]),
                    tuple(row["advisory_ids"]),
                    row["comparable"],
                ),
                row["closed_at"] is None,
            )
            for row in rows
        }

    async def apply(self, changes: Changes, now: datetime) -> None:
        """Store changed findings."""
        opened = [
            {"package_version": key.package_version, "vulnerability": key.vulnerability, "first_detected": now}
            | _facts_values(facts)
            for key, facts in changes.opened.items()
        ]
        for rows in chunked(opened):
            await self._session.execute(insert(findings), rows)
        for number, facts in {**changes.reopened, **changes.updated}.items():
            values = _facts_values(facts) | {"closed_at": null()}
            await self._session.execute(update(findings).where(findings.c.number == number).values(**values))
        for numbers in chunked(changes.closed):
            await self._session.execute(update(findings).where(findings.c.number.in_(numbers)).values(closed_at=now))

    async def versions_with(self, vulnerabilities: Iterable[str]) -> set[int]:
        """Return the package versions that have an open finding of one of these vulnerabilities."""
        found: set[int] = set()
        for chunk in chunked(vulnerabilities):
            query = select(findings.c.package_version).where(
                findings.c.vulnerability.in_(chunk), findings.c.closed_at.is_(None)
            )
            found |= set((await self._session.execute(query)).scalars())
        return found

    async def open_in(self, package_set: int) -> list[OpenFinding]:
        """Return what counts for the risk of a package set."""
        query = (
            select(
                findings.c.vulnerability,
                package_versions.c.ecosystem,
                package_versions.c.name,
                package_versions.c.version,
                findings.c.severity,
                findings.c.fixable,
                func.count(),
            )
            .select_from(set_members)
            .join(findings, findings.c.package_version == set_members.c.package_version)
            .join(package_versions, package_versions.c.number == findings.c.package_version)
            .where(set_members.c.package_set == package_set, findings.c.closed_at.is_(None), counts())
            .group_by(findings.c.number, package_versions.c.number)
        )
        rows = (await self._session.execute(query)).all()
        return [
            OpenFinding(vulnerability, f"{ecosystem}/{name}@{version}", Severity(severity), fixable, copies)
            for vulnerability, ecosystem, name, version, severity, fixable, copies in rows
        ]


def _facts_values(facts: Facts) -> dict[str, Any]:
    return {
        "severity": int(facts.severity),
        "fixable": bool(facts.fixed_versions),
        "fixed_versions": list(facts.fixed_versions),
        "advisory_ids": list(facts.advisory_ids),
        "comparable": facts.comparable,
    }
