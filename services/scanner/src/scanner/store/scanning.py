"""The ports to scans and targets in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from scanner.scan_records import Failure, Request, Scan, ScanFilter, Summary, Trigger
from scanner.target_records import Push, Search, Target, TargetCounts


class Scans(Protocol):
    """Scans, the queue of those that have not ended among them."""

    async def add(self, scan_id: str, request: Request, analyzers: Mapping[str, int], now: datetime) -> Scan:
        """Queue a scan; there must be no unfinished one of that image."""
        ...

    async def get(self, scan_id: str) -> Scan | None:
        """Return a scan; None where there is none of that id."""
        ...

    async def unfinished(self, repository: str, digest: str) -> Scan | None:
        """Return the scan of an image that has not ended."""
        ...

    async def last_success(self, repository: str, digest: str) -> Scan | None:
        """Return the scan of an image that gave an inventory last."""
        ...

    async def hasten(self, scan: Scan, trigger: Trigger, now: datetime) -> None:
        """Let a scan have its turn as early as another trigger gives it; a person's, from now on."""
        ...

    async def claim(self, active: Collection[str], now: datetime) -> Scan | None:
        """Return the next scan that may begin and mark it as running, one attempt more.

        One that stands as running, but is none of those `active` in this process, was left by a process that ended.
        """
        ...

    async def next_time(self, active: Collection[str]) -> datetime | None:
        """Return when the next scan may begin; None where none waits."""
        ...

    async def postpone(self, scan_id: str, failure: Failure, not_before: datetime) -> None:
        """Queue a running scan again, with what stood in its way."""
        ...

    async def put_back(self, scan_id: str, trouble: Failure, not_before: datetime) -> None:
        """Queue a running scan again, with what stood in the scanner's own way; the attempt does not count."""
        ...

    async def succeed(self, scan_id: str, summary: Summary, now: datetime) -> None:
        """Note that a scan has ended and what it found."""
        ...

    async def fail(self, scan_id: str, failure: Failure, now: datetime) -> None:
        """Note that a scan has ended, and why it failed."""
        ...

    async def page(self, asked: ScanFilter, before: int | None, limit: int) -> Sequence[Scan]:
        """Return scans, the newest first, from below a number on."""
        ...

    async def queued(self) -> int:
        """Return how many scans have not ended."""
        ...


class Targets(Protocol):
    """Targets, their tokens' hashes, their searches and their images."""

    async def add(self, target: Target, token_hash: bytes) -> None:
        """Add a target whose search begins; there must be none of its name."""
        ...

    async def get(self, name: str) -> Target | None:
        """Return a target; None where there is none of that name."""
        ...

    async def page(self, after: str, limit: int) -> Sequence[Target]:
        """Return targets by name, from after one on."""
        ...

    async def put(self, target: Target) -> None:
        """Store a target's changed fields."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a target, its token and its list of images."""
        ...

    async def token_hash(self, name: str) -> bytes | None:
        """Return the hash of a target's token; None where there is no target of that name."""
        ...

    async def put_token_hash(self, name: str, token_hash: bytes) -> None:
        """Replace the hash of a target's token."""
        ...

    async def search(self, name: str) -> Search:
        """Return how far a target's search is."""
        ...

    async def begin_search(self, name: str, now: datetime) -> None:
        """Let a target's search begin anew."""
        ...

    async def put_search(self, name: str, search: Search) -> bool:
        """Store how far a search is; False where another was begun since, or the target is gone."""
        ...

    async def next_search(self) -> tuple[Target, Search] | None:
        """Return the enabled target whose search may go on first; None where none is searching."""
        ...

    async def put_image(self, name: str, repository: str, digest: str, scan: Scan) -> None:
        """Note that an image belongs to a target, and which scan answers for it."""
        ...

    async def images(self, name: str) -> frozenset[tuple[str, str]]:
        """Return a target's images, by repository and digest."""
        ...

    async def resting(self) -> frozenset[tuple[str, str]]:
        """Return the images, by repository and digest, that belong to disabled targets alone."""
        ...

    async def counts(self, name: str) -> TargetCounts:
        """Count a target's images by how far they are."""
        ...


class Pushes(Protocol):
    """Pushes that were announced and not yet looked into, in their order."""

    async def add(self, push: Push, now: datetime) -> None:
        """Add a push, unless it waits already."""
        ...

    async def due(self, limit: int, after: datetime, now: datetime) -> Sequence[Push]:
        """Return those that have waited longest; of pushes by digest alone, those not received between these times."""
        ...

    async def remove(self, push: Push) -> None:
        """Remove a push that was looked into."""
        ...

    async def remove_untagged(self, repository: str, digests: Collection[str]) -> None:
        """Remove the pushes of these manifests by digest alone."""
        ...

    async def count(self) -> int:
        """Return how many wait."""
        ...
