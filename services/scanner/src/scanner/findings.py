"""Answering what was found in images, and what is known of the vulnerabilities behind it."""

from collections.abc import Iterable, Mapping, Sequence

from scanner.advisories.vulnerability import Vulnerability, describe
from scanner.ecosystems import feed_of
from scanner.errors import ImageNotFound, VulnerabilityNotFound
from scanner.exposure import (
    Exposure,
    Finding,
    FindingCursor,
    FindingFilter,
    FindingRow,
    FindingState,
    VulnerabilityCursor,
    VulnerabilityFilter,
)
from scanner.risk.freshness import Feed
from scanner.severity import Severity
from scanner.store import Unit


async def list_findings(
    unit: Unit, repository: str, digest: str, wanted: FindingFilter, after: FindingCursor | None, limit: int
) -> Sequence[Finding]:
    """Return findings of an image, the worst first. Raises ImageNotFound."""
    image = await unit.catalogue.get(repository, digest)
    if image is None:
        raise ImageNotFound(f"No image {repository}@{digest} is known.")
    rows = await unit.exposures.findings(image.cursor, wanted, after, limit)
    described = await _described(unit, {row.vulnerability for row in rows})
    feeds = await unit.advisories.feeds()
    return [_finding(repository, row, described[row.vulnerability], feeds) for row in rows]


def _finding(repository: str, row: FindingRow, vulnerability: Vulnerability, feeds: Mapping[str, Feed]) -> Finding:
    feed = feeds.get(feed_of(row.package.ecosystem))
    compared = max(row.scanned_at, feed.last_imported) if feed else row.scanned_at
    return Finding(
        cursor=row.cursor,
        repository=repository,
        digest=row.digest,
        platform=row.platform,
        package=row.package,
        vulnerability=vulnerability,
        facts=row.facts,
        state=FindingState.OPEN if row.closed_at is None else FindingState.NOT_AFFECTED,
        first_detected=row.first_detected,
        last_detected=row.closed_at or compared,
        origin=row.origin,
    )


async def list_vulnerabilities(
    unit: Unit, wanted: VulnerabilityFilter, after: VulnerabilityCursor | None, limit: int
) -> Sequence[Exposure]:
    """Return the vulnerabilities that have an open finding, the worst first."""
    listed = await unit.exposures.vulnerabilities(wanted, after, limit)
    names = [cursor.vulnerability for cursor in listed]
    described = await _described(unit, names)
    images = await unit.exposures.images_with(names, wanted.repositories)
    return [
        Exposure(described[cursor.vulnerability], Severity(cursor.severity), images.get(cursor.vulnerability, 0))
        for cursor in listed
    ]


async def get_vulnerability(unit: Unit, name: str, repositories: frozenset[str] | None) -> Exposure:
    """Return a vulnerability by its name or an alias; images are counted in `repositories`, or in all.

    Raises VulnerabilityNotFound where no advisory speaks of it, or one that speaks of several.
    """
    meant = await unit.exposures.meant_by(name)
    if len(meant) != 1:
        several = f" {name} is an advisory of several: {', '.join(sorted(meant)[:20])}." if meant else ""
        raise VulnerabilityNotFound(f"No advisory speaks of a vulnerability {name}.{several}")
    (found,) = meant
    vulnerability = (await _described(unit, meant))[found]
    severity = await unit.exposures.severity_of(found) or vulnerability.severity
    images = await unit.exposures.images_with([found], repositories)
    return Exposure(vulnerability, severity, images.get(found, 0))


async def _described(unit: Unit, names: Iterable[str]) -> Mapping[str, Vulnerability]:
    wanted = set(names)
    known = await unit.exposures.records(wanted)
    return {name: describe(name, known.get(name, ())) for name in wanted}
