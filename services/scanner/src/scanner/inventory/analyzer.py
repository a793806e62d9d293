"""What every analyzer is: which files of an image it wants, and how it finds packages in them.

There is a module for each ecosystem, which ends with its `ANALYZER`; `analyzers.py` lists them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from scanner.inventory.model import Distribution, Package, Unreadable
from scanner.layers.tree import Kept, Link, Tree
from scanner.layers.wishes import Wish

Found = Package | Unreadable
Files = Sequence[tuple[str, Kept]]
"""Files by their paths, in the order of these."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of files.

    `pattern` is a regular expression of the last parts of a path, or of the whole path where `at_root`.
    `describing` files describe a package each where they lie, so that a link there counts as the file that it leads to.
    """

    pattern: str
    wish: Wish
    at_root: bool = False
    describing: bool = False

    @property
    def is_told_by_content(self) -> bool:
        """Whether the content of a file, rather than its path, says whether it is of this kind."""
        return not isinstance(self.wish, int) and self.wish.is_told_by_content


@dataclass(frozen=True, slots=True)
class Image:
    """An image as analyzers see it: the files that they wanted, by kind, and the distribution that it says it is."""

    tree: Tree
    files: Mapping[str, Files]
    links: Sequence[Link]
    distribution: Distribution | None

    def of(self, kind: str) -> Files:
        """The files of a kind."""
        return self.files.get(kind, ())


@dataclass(frozen=True, slots=True)
class Owned:
    """A file that a package of the distribution brought, as its package manager wrote that down.

    `path` is from the root, its directories perhaps links; `digest` is of the content, as an algorithm's name, `:` and
    hex digits, and empty where none was written down.
    """

    path: str
    owner: Package
    digest: str


def _nothing(_image: Image) -> Iterable[Found]:
    return ()


def _no_database(_tree: Tree) -> Files:
    return ()


def _owns_nothing(_image: Image, _installed: Sequence[Package], _names: Set[str]) -> Iterable[Owned]:
    return ()


@dataclass(frozen=True, slots=True)
class Analyzer:
    """What reads one ecosystem. A new `version` has every image read again.

    `wanted` are kinds of files by names that no other analyzer uses. That of a package manager has `manager`, its name
    in distributions.py; `database` gives the files of its database, none where it was not at work, and `needed` the
    paths that they are looked for at, wherever links lead from there. `owned` gives the files, as far as they have one
    of these names, that the packages which it found own.
    """

    name: str
    version: int
    wanted: Mapping[str, Wanted]
    find: Callable[[Image], Iterable[Found]] = _nothing
    manager: str = ""
    database: Callable[[Tree], Files] = _no_database
    needed: tuple[str, ...] = field(default=())
    owned: Callable[[Image, Sequence[Package], Set[str]], Iterable[Owned]] = _owns_nothing
