"""Taking the inventory of an image, and judging how far it tells everything."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain

from scanner.inventory import distributions, dpkg, npm, python, unowned
from scanner.inventory.evidence import Found, demand_few, unreadable
from scanner.inventory.judging import Signs, gaps, unsupported
from scanner.inventory.model import Distribution, Inventory, Package, Unreadable
from scanner.layers.archive import Keep
from scanner.layers.paths import printable
from scanner.layers.tree import Kept, Link, Tree

ANALYZERS: Mapping[str, int] = {"layers": 1, "os-release": 1, "dpkg": 1, "python": 1, "npm": 1}
"""The versions of what reads images: an image that was read by others is read again when it is asked for."""

_AT_ROOT = {"database": unowned.DATABASE, "runtime": unowned.RUNTIME}
_ANYWHERE = {
    "os_release": distributions.PATTERN,
    "dpkg": dpkg.PATTERN,
    "python": python.PATTERN,
    "npm": npm.PATTERN,
}
_DESCRIBING = {"python", "npm"}
"""Kinds of files that describe a package each, wherever they lie."""
_MOST = dpkg.LARGEST
_KEPT = {
    "database": 0,
    "runtime": 0,
    "os_release": distributions.LARGEST,
    "dpkg": dpkg.LARGEST,
    "python": python.HEAD,
    "npm": npm.LARGEST,
}


def _alternatives(patterns: Mapping[str, str]) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())


_WANTED = re.compile(f"(?:{_alternatives(_AT_ROOT)})|(?:.*/)?(?:{_alternatives(_ANYWHERE)})", re.DOTALL)

_Files = Mapping[str, list[tuple[str, Kept]]]


def keep(path: str) -> int | None:
    """How many bytes of the file at a path are needed to take an inventory; None where the file does not matter."""
    kind = _kind(path)
    return None if kind is None else _KEPT[kind]


def keep_also(paths: Set[str]) -> Keep:
    """As `keep`, and the files at these paths."""
    return lambda path: _MOST if path in paths else keep(path)


def needed_besides(tree: Tree) -> Set[str]:
    """Paths that links in an image lead to, which were not kept, but are needed to take its inventory."""
    links = [(link.path, link.leads_to) for link in tree.links() if _kind(link.path) in _DESCRIBING]
    fixed = [(path, tree.real(path)) for path in (*distributions.PATHS, dpkg.STATUS)]
    targets = {target for path, target in [*links, *fixed] if target not in {None, path} and tree.find(path) is None}
    return tree.lost | {target for target in targets if target}


def take_inventory(tree: Tree) -> Inventory:
    """The inventory of an image whose layers were read with `keep`, or `keep_also`. Raises LimitExceeded."""
    links = list(tree.links())
    files = _by_kind(tree, links)
    distribution, problems = _read_distribution(tree)
    databases = dpkg.databases(tree)
    ecosystem = distribution.ecosystem if distribution else None
    folders = {link.leads_to for link in links if link.name == "node_modules"}
    found = list(
        demand_few(
            chain(
                problems,
                dpkg.find_packages(databases, ecosystem) if ecosystem else (),
                python.find_packages(files["python"]),
                npm.find_packages(files["npm"], folders),
                _lost(tree, links),
            )
        )
    )
    signs = Signs(
        distribution=distribution,
        packages=[one for one in found if isinstance(one, Package)],
        managers=(["dpkg"] if databases else []) + unowned.managers_of(path for path, _ in files["database"]),
        broken=any(not kept.file.is_whole for _, kept in databases),
        runtime=[f"/{printable(path)}" for path in _runtime(files, links)],
    )
    return Inventory(
        distribution=distribution,
        packages=tuple(signs.packages),
        unreadable=tuple(one for one in found if isinstance(one, Unreadable)),
        gaps=gaps(signs),
        unsupported=unsupported(signs),
    )


def _runtime(files: _Files, links: Iterable[Link]) -> list[str]:
    return [path for path, _ in files["runtime"]] + [link.path for link in links if _kind(link.path) == "runtime"]


def _lost(tree: Tree, links: Iterable[Link]) -> Iterator[Unreadable]:
    """Links that stand where a package is described, and lead to something that was not kept."""
    for link in links:
        if _kind(link.path) in _DESCRIBING and tree.find(link.path) is None:
            problem = f"It is a link to /{printable(link.leads_to)}, of which nothing was kept."
            yield Unreadable(link.layer, printable(link.path), problem)


def _kind(path: str) -> str | None:
    match = _WANTED.fullmatch(path)
    return match.lastgroup if match else None


def _by_kind(tree: Tree, links: Iterable[Link]) -> _Files:
    files: dict[str, list[tuple[str, Kept]]] = defaultdict(list)
    for path, kept in sorted(tree.files()):
        files[_kind(path) or ""].append((path, kept))
    for link in links:
        kind = _kind(link.path)
        target = tree.find(link.path) if kind in _DESCRIBING else None
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
    return None, []
