"""`packages.lock.json` and `packages.config`.

Formats: NuGet's documentation, "PackageReference in project files" and "packages.config reference".
"""

from collections.abc import Iterator, Mapping

import msgspec

from scanner.inventory.elements import Element, MarkupMalformed, visit_elements
from scanner.inventory.listings import Listed, decode_json, listed
from scanner.layers.wishes import NoEssence

_OWN = "Project"
"""The type of what the same solution builds."""


class _Dependency(msgspec.Struct, frozen=True):
    type: str = ""
    resolved: str = ""


class _Lock(msgspec.Struct, frozen=True):
    dependencies: Mapping[str, Mapping[str, _Dependency]] = msgspec.field(default_factory=dict)


def read_packages_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `packages.lock.json`, for every framework. Raises NoEssence."""
    for dependencies in decode_json(body, _Lock).dependencies.values():
        for name, dependency in dependencies.items():
            if dependency.type != _OWN:
                yield listed(name, dependency.resolved)


def read_packages_config(body: bytes) -> list[Listed | str]:
    """The packages of a `packages.config`, without those for development. Raises NoEssence."""
    told: list[Listed | str] = []

    def take(element: Element) -> None:
        said = element.attributes
        if element.path == ("packages", "package") and said.get("developmentDependency") != "true":
            told.append(listed(said.get("id", ""), said.get("version", "")))

    try:
        visit_elements(body, take)
    except MarkupMalformed as problem:
        raise NoEssence(str(problem)) from problem
    return told
