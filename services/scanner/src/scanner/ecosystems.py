"""OSV's ecosystems: their names, and how a package of each is found in advisories.

The names are those of https://ossf.github.io/osv-schema/#defined-ecosystems.
"""

import re
from dataclasses import dataclass

from scanner import versions
from scanner.inventory.model import Package

_OF_SOURCES = {"Debian", "Ubuntu", "Alpine", "Alpaquita", "Wolfi", "Chainguard"}
"""Ecosystems whose advisories speak of source packages and their versions."""
_WITHOUT_CASE = {"NuGet", "Packagist"}
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where advisories speak of a package: its ecosystem with the release, the name there, and the version compared."""

    ecosystem: str
    name: str
    version: str

    @property
    def key(self) -> bytes | None:
        """The version's key; None where it is no version of the ecosystem, so that nothing can be compared."""
        try:
            return versions.key(self.ecosystem, self.version)
        except (versions.InvalidVersion, versions.UnknownEcosystem):
            return None


def feed_of(ecosystem: str) -> str:
    """The feed that an ecosystem's advisories come in: its name without the release."""
    return ecosystem.partition(":")[0]


def normalise_name(ecosystem: str, name: str) -> str:
    """A package's name as it is compared: PEP 503's for Python, without regard to case where that tells none apart."""
    feed = feed_of(ecosystem)
    if feed == "PyPI":
        return _SEPARATORS.sub("-", name).lower()
    return name.lower() if feed in _WITHOUT_CASE else name


def coordinates_of(package: Package) -> Coordinates:
    """Where advisories speak of a package."""
    if feed_of(package.ecosystem) in _OF_SOURCES:
        return Coordinates(
            package.ecosystem, package.source_name or package.name, package.source_version or package.version
        )
    return Coordinates(package.ecosystem, normalise_name(package.ecosystem, package.name), package.version)
