"""The file system of an image, as far as it is kept: layers put upon each other as container runtimes do.

Runtimes unpack a layer into what the layers beneath made: parents that are symbolic links are followed, and a
directory given by itself takes the place of a link or file (OCI image specification, layer.md, "Applying Changesets").
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.failures import LayerMalformed, LimitExceeded
from scanner.layers.layer import Change, File, HardLink, Layer, Other, Symlink
from scanner.layers.paths import printable
from scanner.layers.places import place

MOST_STEPS = 100_000_000
"""Directories entered while an image is put together."""
_MOST_LINKS = 40
"""Symbolic links followed for one path, as Linux does."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the image; `layer` is the digest of the layer that brought it, `beneath` what stood there before."""

    file: File
    layer: str
    beneath: "Kept | None" = None


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in the image, at its own path.

    `leads_to` is the path that it leads to, further links followed, whether or not something is there.
    """

    path: str
    leads_to: str
    layer: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class _Symlink:
    target: str
    layer: str


_Directory = dict[str, "_Node"]
_Node = _Directory | Kept | _Symlink


class Tree:
    """The files and symbolic links of an image; directories are there as far as something lies in them."""

    def __init__(self) -> None:
        self._root: _Directory = {}
        self._steps = 0
        self.lost: set[str] = set()
        """Paths that hard links of files that matter led to, and of which nothing was kept."""

    def apply(self, layer: Layer) -> None:
        """Puts a layer on top. Raises LayerMalformed and LimitExceeded."""
        for path in layer.emptied:
            node = self._at(path)
            if isinstance(node, dict):
                node.clear()
        for path in layer.removed:
            self._remove(path)
        self._replace(layer)
        for path, change in layer.changes:
            self._change(path, change, layer.digest)

    def find(self, path: str) -> Kept | None:
        """The file that a path leads to, links followed; None where none is kept there."""
        node = self._at(path)
        return node if isinstance(node, Kept) else None

    def files(self) -> Iterator[tuple[str, Kept]]:
        """Every file that is kept, by its own path."""
        return ((path, node) for path, node in self._walk() if isinstance(node, Kept))

    def links(self) -> Iterator[Link]:
        """Every symbolic link that does not go round in a circle."""
        for path, node in self._walk():
            if isinstance(node, _Symlink) and (followed := self._follow(path)):
                yield Link(path, "/".join(followed.parts), node.layer)

    def real(self, path: str) -> str | None:
        """The path that a path leads to, links followed; None where it goes round in a circle."""
        followed = self._follow(path)
        return "/".join(followed.parts) if followed else None

    def _change(self, path: str, change: Change, layer: str) -> None:
        if change is Other.FILE:
            self._remove(path)
            return
        parent, name = self._parent(path, make=True)
        held = parent.get(name)
        if change is Other.DIRECTORY:
            if not isinstance(held, dict):
                parent[name] = {}
            return
        node = self._node(change, layer)
        if node is None:
            parent.pop(name, None)
            return
        if isinstance(node, Kept) and isinstance(held, Kept):
            beneath = held.beneath if held.layer == layer else held
            node = Kept(node.file, layer, beneath)
        parent[name] = node

    def _node(self, change: File | Symlink | HardLink, layer: str) -> Kept | _Symlink | None:
        if isinstance(change, HardLink):
            directory, name = self._parent(change.target)
            target = directory.get(name)
            if isinstance(target, _Symlink):
                return _Symlink(target.target, layer)
            if isinstance(target, Kept):
                return Kept(target.file, layer)
            if change.loose:
                return None
            self.lost.add(change.target)
            problem = f"It is a hard link to /{printable(change.target)}, of which nothing was kept."
            return Kept(File(None, 0, problem), layer)
        return _Symlink(change.target, layer) if isinstance(change, Symlink) else Kept(change, layer)

    def _remove(self, path: str) -> None:
        parent, name = self._parent(path)
        parent.pop(name, None)

    def _replace(self, layer: Layer) -> None:
        """Removes what an unkept entry of the layer takes the place of."""
        files, directories = set(layer.files), set(layer.directories)
        stack = [("", self._root)] if files or directories else []
        while stack:
            prefix, directory = stack.pop()
            for name, node in list(directory.items()):
                self._step()
                path = prefix + name
                at = place(path, layer.key)
                if at in files or (at in directories and not isinstance(node, dict)):
                    del directory[name]
                elif isinstance(node, dict):
                    stack.append((path + "/", node))

    def _walk(self) -> Iterator[tuple[str, Kept | _Symlink]]:
        stack = [("", self._root)]
        while stack:
            prefix, directory = stack.pop()
            for name, node in directory.items():
                if isinstance(node, dict):
                    stack.append((f"{prefix}{name}/", node))
                else:
                    yield prefix + name, node

    def _parent(self, path: str, *, make: bool = False) -> tuple[_Directory, str]:
        """The directory that a path's last part lies in; one of its own where there is none and none is made."""
        parent, _, name = path.rpartition("/")
        followed = self._follow(parent)
        if followed is None:
            raise LayerMalformed(f"The path /{printable(path)} goes round in a circle of symbolic links.")
        directory = self._root
        for part in followed.parts:
            node = directory.get(part)
            if not isinstance(node, dict):
                node = {}
                if make:
                    directory[part] = node
            directory = node
        return directory, name

    def _at(self, path: str) -> _Node | None:
        """What a path leads to; None where that is nothing, or the path goes round in a circle."""
        followed = self._follow(path)
        return followed.nodes[-1] if followed else None

    def _follow(self, path: str) -> "_Followed | None":
        """Where a path leads, every link followed, never out of the root; None where it goes round in a circle."""
        ahead = path.split("/")[::-1]
        followed = _Followed([], [self._root])
        links = 0
        while ahead:
            self._step()
            part = ahead.pop()
            target = followed.enter(part)
            if target is not None:
                links += 1
                if links > _MOST_LINKS:
                    return None
                if target.startswith("/"):
                    followed = _Followed([], [self._root])
                ahead += target.split("/")[::-1]
        return followed

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise LimitExceeded(f"The image's layers take more than {MOST_STEPS} steps, the bound `steps`.")


@dataclass(frozen=True, slots=True)
class _Followed:
    """The parts of a path without links, and what lies at each, the root first; None where nothing does."""

    parts: list[str]
    nodes: list[_Node | None]

    def enter(self, part: str) -> str | None:
        """Goes on by one part; returns the target of the link that is there instead, which is not entered."""
        if part == "..":
            self.parts[-1:] = []
            self.nodes[1:] = self.nodes[1:-1]
        elif part and part != ".":
            directory = self.nodes[-1]
            node = directory.get(part) if isinstance(directory, dict) else None
            if isinstance(node, _Symlink):
                return node.target
            self.parts.append(part)
            self.nodes.append(node)
        return None
