"""What Maven puts into an archive about what was built: `pom.properties`, `pom.xml`.

Formats: the class java.util.Properties; Maven's reference "POM", whose parent gives what a project does not.
"""

import re
from collections.abc import Mapping

import msgspec

from scanner.inventory.elements import Element, MarkupMalformed, visit_elements

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}", re.ASCII)
_VERSION = re.compile(r"[^\s\0$]{1,256}")
_FIELDS = ("groupId", "artifactId", "version")
_INHERITED = ("groupId", "version")


class Pom(msgspec.Struct, frozen=True):
    """A project of Maven; `version` is empty where it is not told."""

    group: str
    artifact: str
    version: str


def read_properties(body: bytes) -> Pom | None:
    """The project that `pom.properties` tells of; None where it does not."""
    values: dict[str, str] = {}
    for line in body.decode("latin-1").splitlines():
        if not line.lstrip().startswith(("#", "!")):
            name, _, value = line.replace(":", "=", 1).partition("=") if "=" not in line else line.partition("=")
            values.setdefault(name.strip(), value.strip())
    return _pom(values)


def read_project(body: bytes) -> Pom | None:
    """The project that `pom.xml` describes; None where it does not."""
    own: dict[str, str] = {}
    inherited: dict[str, str] = {}

    def take(element: Element) -> None:
        *above, name = element.path
        if above == ["project"] and name in _FIELDS:
            own.setdefault(name, element.text)
        elif above == ["project", "parent"] and name in _INHERITED:
            inherited.setdefault(name, element.text)

    try:
        visit_elements(body, take)
    except MarkupMalformed:
        return None
    return _pom(inherited | own)


def _pom(values: Mapping[str, str]) -> Pom | None:
    group, artifact, version = (values.get(field, "") for field in _FIELDS)
    if not _NAME.fullmatch(group) or not _NAME.fullmatch(artifact):
        return None
    return Pom(group, artifact, version if _VERSION.fullmatch(version) else "")
