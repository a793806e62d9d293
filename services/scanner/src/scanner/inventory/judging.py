"""Judging how far an inventory tells everything: what could not be looked into is never taken for clean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.inventory.model import Distribution, Package


@dataclass(frozen=True, slots=True)
class Signs:
    """What in an image tells how far its inventory can be trusted.

    `managers` are package managers whose databases are there, `broken` those of them of whose database a file can't be
    read; `runtime` are paths of C libraries and shells.
    """

    distribution: Distribution | None
    packages: Sequence[Package]
    managers: Sequence[str]
    broken: Sequence[str]
    runtime: Sequence[str]


def unsupported(signs: Signs) -> str | None:
    """Why the image can't be judged at all, as a sentence; None where it can."""
    distribution = signs.distribution
    if distribution and distribution.ecosystem:
        return None
    if distribution:
        return f"Its distribution, {distribution.pretty_name}, is none whose packages are known."
    if signs.managers:
        named = " and ".join(signs.managers)
        return f"It has a package database of {named}, but no os-release that says of which distribution."
    if not any(package.needs_feed for package in signs.packages) and not signs.runtime:
        return "Nothing in it is known: no distribution, and no package of a language that is read."
    return None


def gaps(signs: Signs) -> tuple[str, ...]:
    """What is missing in the inventory, a sentence each."""
    distribution = signs.distribution
    if distribution and distribution.ecosystem:
        return tuple(_gaps_of(distribution, signs))
    if not distribution and not signs.managers and signs.runtime:
        return (f"No package database says which version {signs.runtime[0]} is of.",)
    return ()


def _gaps_of(distribution: Distribution, signs: Signs) -> Iterator[str]:
    own = distribution.manager
    if own in signs.broken or not any(package.ecosystem == distribution.ecosystem for package in signs.packages):
        yield f"It is {distribution.pretty_name}, but its package database of {own} could not be read."
    for manager in signs.managers:
        if manager != own:
            yield f"It has a package database of {manager}, which is not read."
