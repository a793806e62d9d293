"""Which vulnerabilities an advisory speaks of.

Ids that are aliases of each other mean one vulnerability, named by its CVE id where it has one. An advisory that
bundles several CVEs, as distributions' do, speaks of each of them and makes none the same as another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of an advisory: its own, its aliases, and the flaws that it derives from."""

    record_id: str
    aliases: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The ids that are said to mean the same as this advisory, its own first."""
        return (self.record_id, *self.aliases)

    @property
    def bundles(self) -> bool:
        """Whether it speaks of other flaws than the one that it names, so that nothing is the same by it."""
        own = _cves(self.own)
        return len(own) > 1 or (not own and bool(_cves(self.upstream)))


def vulnerabilities_of(advisories: Iterable[Names]) -> Mapping[str, tuple[str, ...]]:
    """The names of the vulnerabilities that each advisory, by its id, speaks of; at least one, sorted.

    `advisories` must hold whole groups: with an advisory, each that shares an id with it.
    """
    listed = list(advisories)
    groups = _groups(names.own for names in listed if not names.bundles)
    return {names.record_id: _vulnerabilities(names, groups) for names in listed}


def _vulnerabilities(names: Names, groups: Mapping[str, set[str]]) -> tuple[str, ...]:
    cves = _cves(names.own) or _cves(names.upstream)
    if not cves:
        group = groups[names.record_id]
        cves = _cves(group) or (min(group, key=_preference),)
    return cves


def _cves(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in ids if name.startswith("CVE-")}))


def _preference(name: str) -> tuple[bool, str]:
    return not name.startswith("GHSA-"), name


def _groups(joined: Iterable[tuple[str, ...]]) -> Mapping[str, set[str]]:
    """For each id, every id that means the same: the connected components, by union-find."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = name = parents[parent]
        return name

    for first, *others in joined:
        for other in (first, *others):
            parents[root(other)] = root(first)
    members: dict[str, set[str]] = {}
    for name in parents:
        members.setdefault(root(name), set()).add(name)
    return {name: group for group in members.values() for name in group}
