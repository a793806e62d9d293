"""The files of rpm's packages, by their headers: directories, names, and digests in MD5 or what the header says.

Tags and numbers of algorithms: rpm's source, include/rpm/rpmtag.h and rpmcrypto.h.
"""

from collections.abc import Iterator
from itertools import repeat

import msgspec

from scanner.inventory.ownership.telling import may_tell
from scanner.inventory.rpmdb import headers
from scanner.inventory.rpmdb.errors import DatabaseMalformed
from scanner.inventory.rpmdb.headers import Header
from scanner.layers.paths import normalise

MOST_NAMES = 2_000_000
"""Files of all packages of a database that are looked at; packages beyond own nothing."""
_ALGORITHMS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_MD5 = 1


class OwnedFile(msgspec.Struct, frozen=True, array_like=True):
    """A file of the package `name` in `version` and `arch`; `path` and `digest` are as in Owned."""

    name: str
    version: str
    arch: str
    path: str
    digest: str


def files_of(header: Header, identity: tuple[str, str, str]) -> Iterator[OwnedFile]:
    """The files that a package brought, as far as they may tell of packages of languages; none that can't be read.

    Of directories, links and what is only made later there is no digest: where there are digests at all, what has none
    is no file that the package brought.
    """
    try:
        for path, digest in _files(header):
            if may_tell(path):
                yield OwnedFile(*identity, path, digest)
    except DatabaseMalformed:
        return


def _files(header: Header) -> Iterator[tuple[str, str]]:
    count = header.count(headers.BASE_NAMES)
    if header.count(headers.DIRECTORY_INDEXES) != count or header.count(headers.DIRECTORY_NAMES) > count:
        raise DatabaseMalformed("A header names files that lie in no directory.")
    folders = [normalise(folder) for folder in header.texts(headers.DIRECTORY_NAMES)]
    named = _ALGORITHMS.get(next(iter(header.numbers(headers.FILE_DIGEST_ALGORITHM)), _MD5), "")
    has_digests = header.count(headers.FILE_DIGESTS) > 0
    digests = header.texts(headers.FILE_DIGESTS) if has_digests else repeat("")
    indexes = header.numbers(headers.DIRECTORY_INDEXES)
    for name, folder, digest in zip(header.texts(headers.BASE_NAMES), indexes, digests, strict=False):
        if folder < len(folders) and (digest or not has_digests):
            yield f"{folders[folder]}/{name}".lstrip("/"), f"{named}:{digest}" if digest and named else ""
