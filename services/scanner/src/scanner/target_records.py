"""What is kept of targets: repositories of one registry that are kept scanned."""

from dataclasses import dataclass
from datetime import datetime

from registry.patterns import compile_pattern


@dataclass(frozen=True, slots=True)
class Target:
    """A target. Of a repository, `include` and `exclude` match the part after the registry's host."""

    name: str
    registry: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    platforms: tuple[str, ...]
    newest: int
    enabled: bool
    created: datetime

    def covers(self, repository: str) -> bool:
        """Whether a repository, `host/repository`, belongs to it."""
        host, _, path = repository.partition("/")
        return (
            host == self.registry
            and (not self.include or self._matches(self.include, path))
            and not self._matches(self.exclude, path)
        )

    def exact_repositories(self) -> tuple[str, ...] | None:
        """The repositories that it includes, where it names each without a wildcard; None otherwise."""
        plain = [path for path in self.include if "*" not in path]
        return tuple(sorted(plain)) if self.include and len(plain) == len(self.include) else None

    def _matches(self, patterns: tuple[str, ...], path: str) -> bool:
        return any(compile_pattern(f"{self.registry}/{text}").matches(f"{self.registry}/{path}") for text in patterns)


@dataclass(frozen=True, slots=True)
class Search:
    """How far the search of a target's registry is.

    `number` counts the searches begun; every repository up to `position`, by name, was looked into. `trouble` is a
    sentence that says what stands in its way, until `not_before`; empty where nothing does.
    """

    number: int
    running: bool
    position: str
    trouble: str
    not_before: datetime


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """How many images of a target were scanned, wait or are being scanned, and failed."""

    scanned: int
    left: int
    failed: int


@dataclass(frozen=True, slots=True)
class Push:
    """A push that a registry announced to a target; `tag` is empty for one by digest."""

    target: str
    repository: str
    digest: str
    tag: str
