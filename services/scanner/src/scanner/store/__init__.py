"""The port to the scanner's database: what the use cases read and write, within one transaction at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from scanner.advisories.advisory import Advisory
from scanner.advisories.merging import Known
from scanner.advisories.naming import Names
from scanner.advisories.osv import Record
from scanner.catalogue import Image, ImageFilter, PlatformView, Repository
from scanner.exposure import FindingCursor, FindingFilter, FindingRow, VulnerabilityCursor, VulnerabilityFilter
from scanner.matching import Changes, FindingKey, Held, Match
from scanner.risk.assess import AssessedImage, IndexFacts, OpenFinding
from scanner.risk.freshness import Feed
from scanner.risk.model import FeedSet, ImageRisk, RiskChange
from scanner.severity import Severity
from scanner.store.contents import Claims, Inventories
from scanner.store.scanning import Pushes, Scans, Targets

CHUNK = 1000
"""The most package versions that are asked about at once."""


class Advisories(Protocol):
    """Advisories, the vulnerabilities that they speak of, and feeds."""

    async def known(self, record_ids: Iterable[str]) -> Mapping[str, Known]:
        """Return those of these records that are held."""
        ...

    async def add(self, added: Sequence[Advisory]) -> set[int]:
        """Add records that are not held; returns their numbers."""
        ...

    async def replace(self, replaced: Mapping[int, Advisory]) -> None:
        """Put newer records in the place of those held, by number."""
        ...

    async def remove(self, numbers: Collection[int]) -> None:
        """Remove records."""
        ...

    async def packages_of(self, numbers: Iterable[int]) -> set[tuple[str, str]]:
        """Return the (ecosystem, name) of the packages that these advisories speak of."""
        ...

    async def only_in(self, feed: str, ecosystems: Collection[str]) -> Mapping[str, int]:
        """Return the records, with their numbers, that speak of a feed and of none but these."""
        ...

    async def counts(self, ecosystems: Collection[str]) -> Mapping[str, int]:
        """Return how many records that are not withdrawn each of these feeds holds."""
        ...

    async def releases(self, ecosystem: str) -> tuple[str, ...]:
        """Return the ecosystems with this name, whichever their release, that some advisory affects."""
        ...

    async def feeds(self) -> Mapping[str, Feed]:
        """Return every feed that was ever imported, by its ecosystem."""
        ...

    async def put_feed(self, feed: Feed) -> None:
        """Store how a feed stands."""
        ...

    async def add_import(self, ecosystems: Sequence[str], as_of: datetime, time: datetime) -> int:
        """Note an import; returns its number."""
        ...

    async def revision(self) -> int:
        """Return the number of the last import; 0 before the first."""
        ...

    async def names_of(self, numbers: Iterable[int]) -> set[str]:
        """Return the ids that mean the same as one of these advisories."""
        ...

    async def names_around(self, names: Iterable[str]) -> Sequence[tuple[int, Names]]:
        """Return the numbers and names of every advisory that is of one group with these ids."""
        ...

    async def vulnerabilities_of(self, numbers: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
        """Return the vulnerabilities that each of these advisories speaks of, in order."""
        ...

    async def put_vulnerabilities(self, vulnerabilities: Mapping[int, Sequence[str]]) -> None:
        """Store which vulnerabilities each of these advisories speaks of."""
        ...


class Findings(Protocol):
    """Matching and findings."""

    async def matches(self, versions: Sequence[int]) -> Sequence[Match]:
        """Return where these package versions lie in an interval of an advisory; a chunk of them at most."""
        ...

    async def ratings(self, vulnerabilities: Iterable[str]) -> Mapping[str, Sequence[tuple[str, Severity]]]:
        """Return every advisory in force, with its severity, that speaks of each of these vulnerabilities."""
        ...

    async def held(self, versions: Sequence[int]) -> Mapping[FindingKey, Held]:
        """Return the findings of these package versions, open and closed; a chunk of them at most."""
        ...

    async def apply(self, changes: Changes, now: datetime) -> None:
        """Store changed findings."""
        ...

    async def versions_with(self, vulnerabilities: Iterable[str]) -> set[int]:
        """Return the package versions that have an open finding of one of these vulnerabilities."""
        ...

    async def open_in(self, package_set: int) -> Sequence[OpenFinding]:
        """Return what counts for the risk of a package set."""
        ...


class Risks(Protocol):
    """Image risks, their history and the feed sets, in the order of the stream that readers follow."""

    async def counter(self) -> int:
        """Return the position of the last change; 0 before the first."""
        ...

    async def of(self, numbers: Iterable[int]) -> Mapping[int, ImageRisk]:
        """Return the risks of these images, by their numbers."""
        ...

    async def get(self, repository: str, digest: str) -> ImageRisk | None:
        """Return the risk of an image; None where it is not known."""
        ...

    async def put(self, risks: Mapping[int, ImageRisk]) -> None:
        """Store risks by the numbers of their images, each as a change of the stream."""
        ...

    async def add_changes(self, changes: Mapping[int, RiskChange]) -> None:
        """Add to the history of these images."""
        ...

    async def changes_of(self, image: int, limit: int) -> Sequence[RiskChange]:
        """Return the history of an image's risk, the newest first."""
        ...

    async def assessed(self, numbers: Iterable[int]) -> Sequence[AssessedImage]:
        """Return these images, as far as they are manifests with an inventory."""
        ...

    async def indexes_around(self, numbers: Iterable[int]) -> Sequence[IndexFacts]:
        """Return the indexes that hold one of these manifests, and those of these images that are indexes."""
        ...

    async def feed_sets(self) -> Mapping[str, FeedSet]:
        """Return the feed sets as they were last streamed, by name."""
        ...

    async def put_feed_sets(self, changed: Sequence[FeedSet]) -> None:
        """Store feed sets, each as a change of the stream."""
        ...

    async def some(self, after: int, limit: int) -> tuple[Sequence[ImageRisk], int]:
        """Return risks in the order of their images' numbers, after that number, and the last number."""
        ...

    async def changed(self, after: int, limit: int) -> Sequence[FeedSet | ImageRisk]:
        """Return the feed sets and risks that changed after a position, in the order of their revisions."""
        ...


class Catalogue(Protocol):
    """Lists of repositories and images."""

    async def repository_names(self) -> set[str]:
        """Return the name of every repository that holds a known image."""
        ...

    async def repositories(self, names: frozenset[str] | None, after: str, limit: int) -> Sequence[Repository]:
        """Return repositories by name, those after `after`; only these `names`, if any are given."""
        ...

    async def page(self, wanted: ImageFilter, before: int | None, limit: int) -> Sequence[Image]:
        """Return images that were asked for by themselves, the one recorded last first, those below number `before`."""
        ...

    async def get(self, repository: str, digest: str) -> Image | None:
        """Return an image, listed or not."""
        ...

    async def platforms(self, image: int) -> Sequence[PlatformView]:
        """Return what was read of each manifest that an image consists of, by platform."""
        ...

    async def layers_of(self, digest: str) -> Sequence[Sequence[str]]:
        """Return the layers of each manifest that an image of this digest consists of, in whichever repository."""
        ...


class Exposures(Protocol):
    """Lists of findings and vulnerabilities."""

    async def findings(
        self, image: int, wanted: FindingFilter, after: FindingCursor | None, limit: int
    ) -> Sequence[FindingRow]:
        """Return findings of an image, of an index those of its platforms, in order, those after `after`."""
        ...

    async def vulnerabilities(
        self, wanted: VulnerabilityFilter, after: VulnerabilityCursor | None, limit: int
    ) -> Sequence[VulnerabilityCursor]:
        """Return the vulnerabilities that have an open finding, with the worst severity of these, in order."""
        ...

    async def images_with(
        self, vulnerabilities: Sequence[str], repositories: frozenset[str] | None
    ) -> Mapping[str, int]:
        """Return how many listed images have an open finding of each of these vulnerabilities; a chunk at most."""
        ...

    async def meant_by(self, name: str) -> frozenset[str]:
        """Return the vulnerabilities that an id means: its own name, an alias, or an advisory that speaks of them."""
        ...

    async def severity_of(self, vulnerability: str) -> Severity | None:
        """Return the worst severity of the open findings of a vulnerability; None where there are none."""
        ...

    async def records(self, vulnerabilities: Iterable[str]) -> Mapping[str, Sequence[Record]]:
        """Return every advisory that speaks of each of these vulnerabilities."""
        ...


class Unit(Protocol):
    """One transaction: everything done through it is kept together, or nothing."""

    @property
    def inventories(self) -> Inventories:
        """Package versions, sets of them, and images."""
        ...

    @property
    def claims(self) -> Claims:
        """Documents that persons gave about what is in images."""
        ...

    @property
    def advisories(self) -> Advisories:
        """Advisories and feeds."""
        ...

    @property
    def findings(self) -> Findings:
        """Matching and findings."""
        ...

    @property
    def risks(self) -> Risks:
        """Image risks and feed sets."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Lists of repositories and images."""
        ...

    @property
    def exposures(self) -> Exposures:
        """Lists of findings and vulnerabilities."""
        ...

    @property
    def scans(self) -> Scans:
        """Scans and their queue."""
        ...

    @property
    def targets(self) -> Targets:
        """Targets, their tokens and images."""
        ...

    @property
    def pushes(self) -> Pushes:
        """Pushes that were announced."""
        ...

    async def record(self, action: str, subject: str, details: Mapping[str, str]) -> None:
        """Write into the audit log what this transaction does; the caller is the request's."""
        ...

    async def keep_answer(self, result: object) -> None:
        """Keep what this transaction gives as the answer to the request's id, to be given again."""
        ...


class Store(Protocol):
    """Where transactions begin."""

    def begin(self) -> AbstractAsyncContextManager[Unit]:
        """Begin one; it is kept when the block ends, and undone when it raises."""
        ...

    def read(self) -> AbstractAsyncContextManager[Unit]:
        """Begin one that only reads, without waiting for those that write."""
        ...
