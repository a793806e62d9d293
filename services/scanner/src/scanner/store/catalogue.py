"""Lists of repositories and images in the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.catalogue import Image, ImageFilter, PlatformView, Repository
from scanner.ecosystems import normalise_name
from scanner.severity import Severity
from scanner.store.encoding import details_of, risk_of
from scanner.store.ownership import counts
from scanner.store.tables import (
    findings,
    image_platforms,
    image_risks,
    image_tags,
    images,
    package_versions,
    set_members,
)

MOST_TAGS = 100
"""Tags that are shown of one image."""


class CatalogueRows:
    """Implements the port Catalogue within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def repository_names(self) -> set[str]:
        """Return the name of every repository that holds a known image."""
        return set((await self._session.execute(select(images.c.repository).distinct())).scalars())

    async def repositories(self, names: frozenset[str] | None, after: str, limit: int) -> list[Repository]:
        """Return repositories by name, those after `after`; only these `names`, if any are given."""
        query = (
            select(images.c.repository, func.count(), func.max(images.c.last_scanned))
            .where(images.c.listed, images.c.repository > after)
            .group_by(images.c.repository)
            .order_by(images.c.repository)
            .limit(limit)
        )
        rows = (await self._session.execute(_among(query, names))).all()
        worst = await self._worst_of_tagged([row[0] for row in rows])
        return [Repository(name, count, worst.get(name), last) for name, count, last in rows]

    async def _worst_of_tagged(self, names: Sequence[str]) -> dict[str, Severity]:
        query = (
            select(image_tags.c.repository, func.min(image_risks.c.worst))
            .join(image_risks, image_risks.c.image == image_tags.c.image)
            .where(image_tags.c.repository.in_(names), image_risks.c.worst.is_not(None))
            .group_by(image_tags.c.repository)
        )
        return {name: Severity(worst) for name, worst in await self._session.execute(query)}

    async def page(self, wanted: ImageFilter, before: int | None, limit: int) -> list[Image]:
        """Return images that were asked for by themselves, the one recorded last first, those below number `before`."""
        query = _among(_images().where(images.c.listed), wanted.repositories)
        query = query.order_by(images.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(images.c.number < before)
        if wanted.states:
            query = query.where(image_risks.c.state.in_([state.value for state in wanted.states]))
        if wanted.worst_severities:
            query = query.where(image_risks.c.worst.in_([int(severity) for severity in wanted.worst_severities]))
        if wanted.package:
            query = query.where(_holds(select(set_members.c.package_set).join(package_versions), wanted.package))
        if wanted.vulnerabilities is not None:
            query = query.where(_has(wanted.vulnerabilities))
        return await self._images((await self._session.execute(query)).mappings().all())

    async def get(self, repository: str, digest: str) -> Image | None:
        """Return an image, listed or not."""
        query = _images().where(images.c.repository == repository, images.c.digest == digest)
        found = await self._images((await self._session.execute(query)).mappings().all())
        return found[0] if found else None

    async def platforms(self, image: int) -> list[PlatformView]:
        """Return what was read of each manifest that an image consists of, by platform."""
        of_index = select(image_platforms.c.manifest_image).where(image_platforms.c.index_image == image)
        query = select(images.c.digest, images.c.details).where(
            or_(images.c.number == image, images.c.number.in_(of_index)), images.c.package_set.is_not(None)
        )
        views = [PlatformView(digest, details_of(details)) for digest, details in await self._session.execute(query)]
        return sorted(views, key=lambda view: (view.details.platform, view.digest))

    async def layers_of(self, digest: str) -> list[tuple[str, ...]]:
        """Return the layers of each manifest that an image of this digest consists of, in whichever repository."""
        named = select(images.c.number).where(images.c.digest == digest)
        of_index = select(image_platforms.c.manifest_image).where(image_platforms.c.index_image.in_(named))
        query = select(images.c.details).where(
            or_(images.c.number.in_(named), images.c.number.in_(of_index)), images.c.package_set.is_not(None)
        )
        found = (await self._session.execute(query)).scalars()
        return sorted({tuple(details["layers"]) for details in found})

    async def _images(self, rows: Sequence[RowMapping]) -> list[Image]:
        tags = await self._tags([row["number"] for row in rows])
        return [_image_of(row, tags[row["number"]]) for row in rows]

    async def _tags(self, numbers: Iterable[int]) -> defaultdict[int, list[str]]:
        query = select(image_tags.c.image, image_tags.c.tag).where(image_tags.c.image.in_(numbers))
        found: defaultdict[int, list[str]] = defaultdict(list)
        for image, tag in await self._session.execute(query.order_by(image_tags.c.tag)):
            if len(found[image]) < MOST_TAGS:
                found[image].append(tag)
        return found


def named(package: str) -> ColumnElement[bool]:
    """Whether a package version has this name, or was built from a source package of this name."""
    as_python = and_(
        package_versions.c.feed == "PyPI", package_versions.c.matched_name == normalise_name("PyPI", package)
    )
    return or_(package_versions.c.name == package, package_versions.c.source_name == package, as_python)


def _holds(sets: Select[Any], package: str) -> ColumnElement[bool]:
    return _of_sets(sets.where(named(package)))


def _has(vulnerabilities: frozenset[str]) -> ColumnElement[bool]:
    found = and_(findings.c.vulnerability.in_(vulnerabilities), findings.c.closed_at.is_(None), counts())
    joined = findings.c.package_version == set_members.c.package_version
    return _of_sets(select(set_members.c.package_set).join(findings, joined).where(found))


def _of_sets(sets: Select[Any]) -> ColumnElement[bool]:
    """Whether an image, or a platform of it, holds one of these package sets."""
    holding = select(images.c.number).where(images.c.package_set.in_(sets))
    indexes = select(image_platforms.c.index_image).where(image_platforms.c.manifest_image.in_(holding))
    return or_(images.c.number.in_(holding), images.c.number.in_(indexes))


def _among(query: Select[Any], names: frozenset[str] | None) -> Select[Any]:
    return query if names is None else query.where(images.c.repository.in_(names))


def _images() -> Select[Any]:
    joined = image_risks.c.image == images.c.number
    shown = (images.c.number, images.c.repository, images.c.digest, images.c.last_scanned, images.c.details)
    return select(*shown, image_risks).join(image_risks, joined)


def _image_of(row: RowMapping, tags: Sequence[str]) -> Image:
    risk = risk_of(row)
    own = row["details"].get("platform")
    return Image(
        cursor=row["number"],
        repository=row["repository"],
        digest=row["digest"],
        tags=tuple(tags),
        platforms=tuple(platform.platform for platform in risk.platforms) or ((own,) if own else ()),
        risk=risk,
        last_scanned=row["last_scanned"],
    )
