"""Lists of findings and vulnerabilities in the database."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, not_, or_, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.advisories.osv import Record, decode
from scanner.exposure import (
    FindingCursor,
    FindingFilter,
    FindingRow,
    FindingState,
    FixState,
    VulnerabilityCursor,
    VulnerabilityFilter,
)
from scanner.matching import Facts
from scanner.severity import Severity
from scanner.store.catalogue import named
from scanner.store.chunks import chunked
from scanner.store.encoding import origin_of, package_of
from scanner.store.ownership import counts
from scanner.store.tables import (
    advisories,
    advisory_names,
    advisory_vulnerabilities,
    findings,
    image_platforms,
    images,
    layers,
    package_versions,
    set_members,
)


class ExposureRows:
    """Implements the port Exposures within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def findings(
        self, image: int, wanted: FindingFilter, after: FindingCursor | None, limit: int
    ) -> list[FindingRow]:
        """Return findings of an image, of an index those of its platforms, in order, those after `after`."""
        place = (findings.c.severity, findings.c.vulnerability, images.c.number, set_members.c.position)
        of_index = select(image_platforms.c.manifest_image).where(image_platforms.c.index_image == image)
        query = (
            select(findings, package_versions, set_members.c.position, set_members.c.path)
            .add_columns(set_members.c.owner, set_members.c.owner_ecosystem, set_members.c.evidence)
            .add_columns(layers.c.digest.label("layer"), images.c.number.label("image"), images.c.digest)
            .add_columns(images.c.last_scanned, images.c.details, images.c.still_since)
            .select_from(images)
            .join(set_members, set_members.c.package_set == images.c.package_set)
            .join(layers, layers.c.number == set_members.c.layer)
            .join(package_versions, package_versions.c.number == set_members.c.package_version)
            .join(findings, findings.c.package_version == set_members.c.package_version)
            .where(or_(images.c.number == image, images.c.number.in_(of_index)), counts())
            .where(or_(images.c.still_since.is_(None), findings.c.first_detected <= images.c.still_since))
            .order_by(*place)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(*place) > tuple_(*after))
        rows = (await self._session.execute(_wanted(query, wanted))).mappings()
        return [_finding_of(row) for row in rows]

    async def vulnerabilities(
        self, wanted: VulnerabilityFilter, after: VulnerabilityCursor | None, limit: int
    ) -> list[VulnerabilityCursor]:
        """Return the vulnerabilities that have an open finding, with the worst severity of these, in order."""
        worst = func.min(findings.c.severity)
        query = (
            select(worst, findings.c.vulnerability)
            .where(findings.c.closed_at.is_(None), _is_held(wanted.repositories))
            .group_by(findings.c.vulnerability)
            .order_by(worst, findings.c.vulnerability)
            .limit(limit)
        )
        if after is not None:
            query = query.having(tuple_(worst, findings.c.vulnerability) > tuple_(*after))
        if wanted.severities:
            query = query.where(findings.c.severity.in_([int(severity) for severity in wanted.severities]))
        if wanted.package:
            query = query.join(package_versions).where(named(wanted.package))
        return [VulnerabilityCursor(*row) for row in await self._session.execute(query)]

    async def images_with(self, vulnerabilities: Sequence[str], repositories: frozenset[str] | None) -> dict[str, int]:
        """Return how many listed images have an open finding of each of these vulnerabilities; a chunk at most."""
        holding = (
            select(findings.c.vulnerability, images.c.number, images.c.listed)
            .select_from(findings)
            .join(set_members, set_members.c.package_version == findings.c.package_version)
            .join(images, images.c.package_set == set_members.c.package_set)
            .where(findings.c.vulnerability.in_(vulnerabilities), findings.c.closed_at.is_(None), counts())
        )
        if repositories is not None:
            holding = holding.where(images.c.repository.in_(repositories))
        manifests = holding.cte("manifests")
        listed = union(
            select(manifests.c.vulnerability, manifests.c.number).where(manifests.c.listed),
            select(manifests.c.vulnerability, image_platforms.c.index_image).join(
                image_platforms, image_platforms.c.manifest_image == manifests.c.number
            ),
        ).subquery()
        query = select(listed.c.vulnerability, func.count()).group_by(listed.c.vulnerability)
        return {vulnerability: count for vulnerability, count in await self._session.execute(query)}  # noqa: C416

    async def meant_by(self, name: str) -> frozenset[str]:
        """Return the vulnerabilities that an id means: its own name, an alias, or an advisory that speaks of them."""
        known = select(advisory_vulnerabilities.c.vulnerability)
        itself = (await self._session.execute(known.where(advisory_vulnerabilities.c.vulnerability == name))).first()
        if itself is not None:
            return frozenset({name})
        same = select(advisory_names.c.advisory).where(advisory_names.c.name == name)
        query = known.where(advisory_vulnerabilities.c.advisory.in_(same)).distinct()
        return frozenset((await self._session.execute(query)).scalars())

    async def severity_of(self, vulnerability: str) -> Severity | None:
        """Return the worst severity of the open findings of a vulnerability; None where there are none."""
        query = select(func.min(findings.c.severity)).where(
            findings.c.vulnerability == vulnerability, findings.c.closed_at.is_(None), _is_held(None)
        )
        worst = (await self._session.execute(query)).scalar_one()
        return None if worst is None else Severity(worst)

    async def records(self, vulnerabilities: Iterable[str]) -> dict[str, list[Record]]:
        """Return every advisory that speaks of each of these vulnerabilities."""
        found: dict[str, list[Record]] = defaultdict(list)
        for chunk in chunked(vulnerabilities):
            query = (
                select(advisory_vulnerabilities.c.vulnerability, advisories.c.body)
                .join(advisories, advisories.c.number == advisory_vulnerabilities.c.advisory)
                .where(advisory_vulnerabilities.c.vulnerability.in_(chunk))
            )
            for vulnerability, body in await self._session.execute(query):
                found[vulnerability].append(decode(zlib.decompress(body)))
        return found


def _wanted(query: Select[Any], wanted: FindingFilter) -> Select[Any]:
    if wanted.vulnerabilities is not None:
        query = query.where(findings.c.vulnerability.in_(wanted.vulnerabilities))
    if wanted.package:
        query = query.where(named(wanted.package))
    if wanted.severities:
        query = query.where(findings.c.severity.in_([int(severity) for severity in wanted.severities]))
    if wanted.fix_state is not None:
        query = query.where(findings.c.fixable.is_(wanted.fix_state is FixState.FIXED_IN))
    if len(wanted.states) == 1:
        stands_still = images.c.still_since.is_not(None)
        is_open = or_(findings.c.closed_at.is_(None), and_(stands_still, findings.c.closed_at > images.c.still_since))
        query = query.where(is_open if FindingState.OPEN in wanted.states else not_(is_open))
    return query


def _is_held(repositories: frozenset[str] | None) -> ColumnElement[bool]:
    """Whether a finding counts in some package set, in one of an image in `repositories` unless None."""
    if repositories is None:
        holding = set_members.c.package_version == findings.c.package_version
        return select(set_members.c.position).where(holding, counts()).correlate(findings).exists()
    joined = and_(images.c.package_set == set_members.c.package_set, images.c.repository.in_(repositories))
    return findings.c.package_version.in_(
        select(set_members.c.package_version).join(images, joined).where(counts()).correlate(None)
    )


def _closed_at(row: RowMapping) -> datetime | None:
    """When a finding closed; one of an image that stands still does not close any more."""
    still: datetime | None = row["still_since"]
    closed: datetime | None = row["closed_at"]
    return closed if closed is None or still is None or closed <= still else None


def _finding_of(row: RowMapping) -> FindingRow:
    return FindingRow(
        cursor=FindingCursor(row["severity"], row["vulnerability"], row["image"], row["position"]),
        digest=row["digest"],
        platform=row["details"]["platform"],
        package=package_of(row),
        vulnerability=row["vulnerability"],
        facts=Facts(
            Severity(row["severity"]), tuple(row["fixed_versions"]), tuple(row["advisory_ids"]), row["comparable"]
        ),
        first_detected=row["first_detected"],
        closed_at=_closed_at(row),
        scanned_at=row["last_scanned"],
        origin=origin_of(row["details"], row["layer"]),
    )
