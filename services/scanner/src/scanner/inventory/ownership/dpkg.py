"""The files of dpkg's packages: a list of each, `info/<package>[:<architecture>].list`, and their MD5 in `.md5sums`.

Distroless images have the latter alone, in `status.d` beside the description. Formats: the manual pages dpkg-query(1),
section "Files", and deb-md5sums(5).
"""

import re
from collections.abc import Iterator, Sequence, Set
from io import BytesIO
from typing import BinaryIO

from scanner.inventory.analyzer import Image, Owned, Wanted
from scanner.inventory.model import Package
from scanner.inventory.ownership.telling import may_tell
from scanner.layers.paths import normalise, printable
from scanner.layers.wishes import Essence

_LISTS = "var/lib/dpkg/info"
_DISTROLESS = "var/lib/dpkg/status.d"
_LARGEST = 64 * 2**20
_SUM = re.compile(r"([0-9a-f]{32}) [ *](.+)", re.ASCII)


def essence(file: BinaryIO) -> bytes | None:
    """The lines of a list that matter; None where none does."""
    kept = BytesIO()
    for line in file:
        if may_tell(_text(line)):
            kept.write(line)
    return kept.getvalue() or None


WANTED = {
    "dpkg_lists": Wanted(r"dpkg/info/[^/]+\.list", Essence(essence, _LARGEST)),
    "dpkg_sums": Wanted(r"dpkg/(?:info|status\.d)/[^/]+\.md5sums", Essence(essence, _LARGEST)),
}


def owned(image: Image, installed: Sequence[Package], names: Set[str]) -> Iterator[Owned]:
    """The files of these names that packages own."""
    owners = _owners(image, installed)
    for path, kept in (*image.of("dpkg_lists"), *image.of("dpkg_sums")):
        owner = owners.get(path.rpartition(".")[0])
        if owner and kept.file.body:
            for digest, file in _files(path, kept.file.body):
                if file.rpartition("/")[2] in names:
                    yield Owned(normalise(file), owner, digest)


def _owners(image: Image, installed: Sequence[Package]) -> dict[str, Package]:
    """Packages by the paths of their lists, without the ends of these."""
    lists, distroless = image.tree.real(_LISTS), image.tree.real(_DISTROLESS)
    described = [path for path, _ in image.of("dpkg") if path.rpartition("/")[0] == distroless]
    by_path = {printable(path): path for path in described}
    owners = {by_path[one.path]: one for one in installed if one.path in by_path}
    whole = [one for one in installed if one.path not in by_path]
    return owners | {f"{lists}/{one.name}{suffix}": one for one in whole for suffix in ("", f":{one.arch}")}


def _files(path: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Digest, empty where there is none, and path of each file."""
    for line in map(_text, BytesIO(body)):
        if path.endswith(".list"):
            yield "", line
        elif match := _SUM.fullmatch(line):
            yield f"md5:{match[1]}", match[2]


def _text(line: bytes) -> str:
    return line.rstrip(b"\n").decode("utf-8", "surrogateescape")
