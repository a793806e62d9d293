"""Images on this machine, as the archives that the scanner takes: a file as it is, an OCI image layout packed as it is
sent.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hallmark_cli.failures import Misused

CHUNK = 512 * 1024
_FORMS = ("oci", "archive")
_ENDS = re.compile(r"(\.(tar|tgz|gz|zst|oci))+$")


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image in files: those of a layout with their paths in it, or one archive without any."""

    name: str
    files: tuple[tuple[str, Path, int], ...]

    @property
    def size(self) -> int:
        """About how many bytes it is sent as."""
        return sum(size for _, _, size in self.files)


def local_image(reference: str) -> LocalImage | None:
    """The image of `oci:DIR` or `archive:FILE`; None for another reference. Raises Misused."""
    form, colon, text = reference.partition(":")
    if not colon or form not in _FORMS or not text:
        return None
    path = Path(text)
    try:
        return _layout(path) if form == "oci" else _file(path)
    except OSError as problem:
        raise Misused(f"{path} cannot be read: {problem.strerror}.") from None


def archive_of(image: LocalImage) -> Iterator[bytes]:
    """The archive in pieces that fit a message. A file that became shorter meanwhile leaves a broken one."""
    for name, path, size in image.files:
        if name:
            member = tarfile.TarInfo(name)
            member.size = size
            yield member.tobuf(tarfile.GNU_FORMAT)
        yield from _pieces(path, size)
        if name:
            yield bytes(-size % tarfile.BLOCKSIZE)
    if image.files[0][0]:
        yield bytes(2 * tarfile.BLOCKSIZE)


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size and (piece := file.read(min(CHUNK, size))):
            size -= len(piece)
            yield piece


def _file(path: Path) -> LocalImage:
    if not path.is_file():
        raise Misused(f"{path} is no file. An OCI image layout in a directory is oci:{path}.")
    with path.open("rb"):
        return LocalImage(_name(path), (("", path, path.stat().st_size),))


def _layout(path: Path) -> LocalImage:
    """A layout's files; links are left out, since they may lead to what is none of its business."""
    if not (path / "index.json").is_file():
        raise Misused(f"{path} is no OCI image layout: it has no index.json. A file is archive:{path}.")
    found = [path / "oci-layout", path / "index.json", *sorted((path / "blobs").glob("*/*"))]
    files = [file for file in found if file.is_file() and not file.is_symlink()]
    return LocalImage(_name(path), tuple((str(file.relative_to(path)), file, file.stat().st_size) for file in files))


def _name(path: Path) -> str:
    """A name that a repository can have."""
    name = _ENDS.sub("", path.resolve().name.lower())
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "image"
