"""Marking the packages of languages that a package of the distribution owns.

A package is owned where the file that tells of it is one that the owner brought, and still is what it brought:
- Where the package manager wrote down a digest of the file, and the file's content was kept, the two must agree. That
  is proof, whatever layer the file lies in; if they differ, somebody replaced it.
- Elsewhere (no digest was written down, or of an archive or program only the essence was kept) the file must lie in
  the very layer that brought the owner in its present version, and be nobody else's.
Where in doubt a package is not owned: it is then compared with advisories as any other, so that nothing is hidden.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice

from scanner.ecosystems import coordinates_of
from scanner.inventory.analyzer import Found, Image, Owned
from scanner.inventory.model import Evidence, Package
from scanner.layers.tree import Kept, Tree
from scanner.layers.wishes import Keep

OwnedFiles = Callable[[Image, Sequence[Package], Set[str]], Iterable[Owned]]
_MOST = 1_000_000
"""Files that are looked at; what lists name beyond is nobody's."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """A file that tells of packages: where it lies, links followed; `content` is None where that was not kept."""

    path: str
    kept: Kept
    content: bytes | None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def mark_owned(image: Image, found: Sequence[Found], owned: OwnedFiles, keep: Keep) -> list[Found]:
    """What was found, the packages of languages among it with their owners.

    `owned` is what the image's package manager says, `keep` what was kept of files by their paths.
    """
    telling = _telling(image.tree, found, keep)
    if not telling:
        return list(found)
    installed = [one for one in found if isinstance(one, Package) and one.evidence is Evidence.DATABASE]
    told = owned(image, installed, {file.name for file in telling.values()})
    by_place = _by_place(image.tree, told, {file.path for file in telling.values()})
    owners = {path: _owner(by_place.get(file.path, ()), file) for path, file in telling.items()}
    return [_marked(one, owners.get(_file_of(one))) if isinstance(one, Package) else one for one in found]


def _telling(tree: Tree, found: Iterable[Found], keep: Keep) -> Mapping[str, _Telling]:
    told = {_file_of(one) for one in found if isinstance(one, Package) and one.evidence is not Evidence.DATABASE}
    telling = {}
    for path in told:
        kept, place = tree.find(path), tree.real(path)
        if kept and place:
            is_content = isinstance(keep(place), int) and kept.file.is_whole
            telling[path] = _Telling(place, kept, kept.file.body if is_content else None)
    return telling


def _file_of(package: Package) -> str:
    """The file in the image that tells of a package, be it by an archive in an archive."""
    return package.path.partition("!/")[0]


def _by_place(tree: Tree, told: Iterable[Owned], places: Set[str]) -> Mapping[str, Sequence[Owned]]:
    """What is told of the files at these places, the directories above them resolved."""
    found: dict[str, list[Owned]] = defaultdict(list)
    folders: dict[str, str | None] = {}
    for one in islice(told, _MOST):
        folder, _, name = one.path.rpartition("/")
        if folder not in folders:
            folders[folder] = tree.real(folder)
        place = f"{folders[folder]}/{name}" if folders[folder] else name
        if place in places:
            found[place].append(one)
    return found


def _owner(told: Sequence[Owned], file: _Telling) -> Package | None:
    if file.content is not None and any(one.digest for one in told):
        own = _digests(file.content, {one.digest.partition(":")[0] for one in told if one.digest})
        return next((one.owner for one in told if one.digest in own), None)
    owners = {coordinates_of(one.owner).name: one.owner for one in told}
    if len(owners) != 1 or any(one.owner.layer != file.kept.layer for one in told):
        return None
    return next(iter(owners.values()))


def _digests(content: bytes, algorithms: Set[str]) -> Set[str]:
    return {f"{name}:{hashlib.new(name, content, usedforsecurity=False).hexdigest()}" for name in algorithms}


def _marked(package: Package, owner: Package | None) -> Package:
    if owner is None or package.evidence is Evidence.DATABASE:
        return package
    return replace(package, owner=coordinates_of(owner).name, owner_ecosystem=owner.ecosystem)
