"""Taking the inventory of an image, and judging how far it tells everything."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from scanner.inventory import distributions, unowned
from scanner.inventory.analyzer import Files, Found, Image, Wanted
from scanner.inventory.analyzers import ALL
from scanner.inventory.evidence import demand_few, unreadable, without_superfluous
from scanner.inventory.judging import Signs, gaps, unsupported
from scanner.inventory.kinds import Kinds
from scanner.inventory.model import Distribution, Inventory, Package, Unreadable
from scanner.inventory.ownership.marking import mark_owned
from scanner.layers.paths import printable
from scanner.layers.tree import Kept, Link, Tree
from scanner.layers.wishes import Keep, Wish

ANALYZERS: Mapping[str, int] = {"layers": 2, "os-release": 1} | {one.name: one.version for one in ALL}
"""The versions of what reads images: an image that was read by others is read again when it is asked for."""

_WANTED: Mapping[str, Wanted] = {
    "database": Wanted(unowned.DATABASE, 0, at_root=True),
    "runtime": Wanted(unowned.RUNTIME, 0, at_root=True),
    "os_release": Wanted(distributions.PATTERN, distributions.LARGEST),
} | {kind: wanted for analyzer in ALL for kind, wanted in analyzer.wanted.items()}
_NEEDED = (*distributions.PATHS, *distributions.FORERUNNERS, *(path for analyzer in ALL for path in analyzer.needed))
_MOST = 64 * 2**20
"""Bytes of a file that nothing but a link leads to."""


_BY_CONTENT = Kinds({k: one for k, one in _WANTED.items() if one.is_told_by_content}, mostly_none=False)
_BY_NAME = Kinds({k: one for k, one in _WANTED.items() if not one.is_told_by_content}, mostly_none=True)
"""What fits one of these is not asked for its content."""


def keep(path: str) -> Wish | None:
    """What is needed of the file at a path to take an inventory; None where the file does not matter."""
    kind = _kind(path)
    return None if kind is None else _WANTED[kind].wish


def keep_also(paths: Mapping[str, Wish]) -> Keep:
    """As `keep`, and the files at these paths."""
    return lambda path: paths[path] if path in paths else keep(path)


def needed_besides(tree: Tree) -> Mapping[str, Wish]:
    """Paths that links in an image lead to, which were not kept, but are needed to take its inventory, and as what.

    What would have been kept for its own path is not there.
    """
    links = [(link.path, link.leads_to) for link in tree.links() if _may_miss(link)]
    fixed = [(path, target) for path in _NEEDED if (target := tree.real(path)) and _kind(target) != _kind(path)]
    targets = {target: _wish_by_name(path) for path, target in [*links, *fixed] if tree.find(path) is None}
    return dict.fromkeys(tree.lost, _MOST) | targets


def take_inventory(tree: Tree) -> Inventory:
    """The inventory of an image whose layers were read with `keep`, or `keep_also`. Raises LimitExceeded."""
    links = list(tree.links())
    distribution, problems = _read_distribution(tree)
    image = Image(tree, _by_kind(tree, links), links, distribution)
    told = chain(problems, *(analyzer.find(image) for analyzer in ALL), _lost(tree, links))
    found = without_superfluous(_with_owners(image, list(demand_few(told))))
    signs = _signs(image, [one for one in found if isinstance(one, Package)])
    return Inventory(
        distribution=distribution,
        packages=tuple(signs.packages),
        unreadable=tuple(one for one in found if isinstance(one, Unreadable)),
        gaps=gaps(signs),
        unsupported=unsupported(signs),
    )


def _with_owners(image: Image, found: Sequence[Found]) -> Sequence[Found]:
    for analyzer in ALL:
        if image.distribution and analyzer.manager and analyzer.manager == image.distribution.manager:
            return mark_owned(image, found, analyzer.owned, keep)
    return found


def _signs(image: Image, packages: list[Package]) -> Signs:
    databases = {one.manager: database for one in ALL if (database := one.database(image.tree))}
    others = unowned.managers_of(path for path, _ in image.of("database"))
    return Signs(
        distribution=image.distribution,
        packages=packages,
        managers=[*databases, *(name for name in others if name not in databases)],
        broken=[name for name, files in databases.items() if any(not kept.file.is_whole for _, kept in files)],
        runtime=[f"/{printable(path)}" for path in _runtime(image)],
    )


def _runtime(image: Image) -> list[str]:
    paths = [path for path, _ in image.tree.files()] + [link.path for link in image.links]
    return sorted(filter(unowned.is_runtime, paths))


def _lost(tree: Tree, links: Iterable[Link]) -> Iterator[Unreadable]:
    """Links that stand where a package is described, and lead to something that was not kept."""
    for link in links:
        if _may_miss(link) and tree.find(link.path) is None:
            problem = f"It is a link to /{printable(link.leads_to)}, of which nothing was kept."
            yield Unreadable(link.layer, printable(link.path), problem)


def _kind(path: str) -> str | None:
    return _BY_NAME.of(path) or _BY_CONTENT.of(path)


def _wish_by_name(path: str) -> Wish:
    kind = _BY_NAME.of(path)
    return _MOST if kind is None else _WANTED[kind].wish


def _is_describing(path: str) -> bool:
    kind = _kind(path)
    return kind is not None and _WANTED[kind].describing


def _may_miss(link: Link) -> bool:
    """Whether a link stands where a package is described, and leads to where no file is kept by its path."""
    return _is_describing(link.path) and _BY_NAME.of(link.leads_to) is None


def _by_kind(tree: Tree, links: Iterable[Link]) -> Mapping[str, Files]:
    files: dict[str, list[tuple[str, Kept]]] = defaultdict(list)
    for path, kept in sorted(tree.files(), key=lambda item: item[0]):
        files[_kind(path) or ""].append((path, kept))
    for link in links:
        kind = _kind(link.path)
        target = tree.find(link.path) if _is_describing(link.path) else None
        if kind and target and _kind(link.leads_to) != kind:
            files[kind].append((link.path, target))
    return files


def _read_distribution(tree: Tree) -> tuple[Distribution | None, list[Found]]:
    for path in distributions.PATHS:
        kept = tree.find(path)
        if kept and kept.file.is_whole:
            return distributions.read_distribution(kept.file.body or b""), []
        if kept:
            return None, [unreadable(path, kept, kept.file.problem or "It is too large for an os-release.")]
    for path in distributions.FORERUNNERS:
        kept = tree.find(path)
        if kept and (named := distributions.read_forerunner(path, kept.file.body or b"")):
            return named, []
    return None, []
