"""What is kept of a layer: the files that were asked for, links, and what it takes away from the layers beneath."""

from array import array
from dataclasses import dataclass
from enum import Enum

import msgspec


class File(msgspec.Struct, frozen=True, tag=True):
    """A file that was asked for, with its first bytes, as many as asked for, out of `size`; or its essence.

    `body` is None where the bytes can't be had; `problem` then says why, in a sentence.
    """

    body: bytes | None
    size: int
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether `body` is all of it."""
        return self.body is not None and len(self.body) == self.size


class Symlink(msgspec.Struct, frozen=True, tag=True):
    """A symbolic link; `target` is as it stands there."""

    target: str


class HardLink(msgspec.Struct, frozen=True, tag=True):
    """A file that was asked for and is a hard link to the file at `target`, a normalised path.

    A `loose` one matters only if what it leads to was kept.
    """

    target: str
    loose: bool = False


class Other(Enum):
    """Something that is not kept, and takes the place of what is."""

    FILE = "file"
    DIRECTORY = "directory"


Change = File | Symlink | HardLink | Other


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that was read to its end.

    `digest` and `size` (bytes) are of the layer as stored, `diff_id` and `unpacked_size` of the archive in it.
    `removed` are paths that it removes from the layers beneath, `emptied` directories whose content it removes.
    `changes` are to be made in their order. `files` and `directories` are the places (scanner.layers.places, under
    `key`) of the paths of everything else in it, which takes the place of what lies beneath. `weight` is about how many
    bytes of memory all that takes.
    """

    digest: str
    size: int
    diff_id: str
    unpacked_size: int
    removed: tuple[str, ...]
    emptied: tuple[str, ...]
    changes: tuple[tuple[str, Change], ...]
    files: "array[int]"
    directories: "array[int]"
    weight: int
    key: bytes
