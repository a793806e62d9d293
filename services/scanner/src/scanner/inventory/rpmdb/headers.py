"""rpm's headers, as its databases store them: an index of tags, then the data that these point into.

Form: rpm's manual, "RPM V4 Package format", section "Header"; tags from rpm's source, include/rpm/rpmtag.h. In a
database, the eight bytes of magic before the header are left out. All numbers are big-endian.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct, unpack_from

from scanner.inventory.rpmdb.errors import DatabaseMalformed

_HEAD = Struct(">II")
_ENTRY = Struct(">IIII")
"""Tag, type, where its data begins, how many values."""
_MOST_ENTRIES = 65_535
_INT32, _STRING, _STRINGS, _TRANSLATED = 4, 6, 8, 9

NAME, VERSION, RELEASE, EPOCH, VENDOR, ARCH = 1000, 1001, 1002, 1003, 1011, 1022
SOURCE_RPM, DIRECTORY_INDEXES, BASE_NAMES, DIRECTORY_NAMES = 1044, 1116, 1117, 1118
FILE_DIGESTS, FILE_DIGEST_ALGORITHM = 1035, 5011
MODULARITY_LABEL = 5096


@dataclass(frozen=True, slots=True)
class Header:
    """A header's data, and its values by their tags: type, where they begin in the data, and how many there are."""

    data: bytes
    entries: Mapping[int, tuple[int, int, int]]

    def text(self, tag: int) -> str:
        """The text of a tag; empty where it has none. Raises DatabaseMalformed."""
        return next(self.texts(tag), "")

    def texts(self, tag: int) -> Iterator[str]:
        """Every text of a tag. Raises DatabaseMalformed."""
        kind, at, count = self.entries.get(tag, (_STRINGS, 0, 0))
        if kind not in {_STRING, _STRINGS, _TRANSLATED}:
            raise DatabaseMalformed(f"A header has something else than text for the tag {tag}.")
        for _ in range(count):
            end = self.data.find(b"\0", at)
            if end < 0:
                raise DatabaseMalformed(f"A header's text for the tag {tag} is cut off.")
            yield self.data[at:end].decode("utf-8", "replace")
            at = end + 1

    def count(self, tag: int) -> int:
        """How many values a tag has."""
        return self.entries.get(tag, (0, 0, 0))[2]

    def numbers(self, tag: int) -> list[int]:
        """Every number of a tag. Raises DatabaseMalformed."""
        kind, at, count = self.entries.get(tag, (_INT32, 0, 0))
        if kind != _INT32 or at + count * 4 > len(self.data):
            raise DatabaseMalformed(f"A header's numbers for the tag {tag} are cut off.")
        return list(unpack_from(f">{count}I", self.data, at))


def parse_header(blob: bytes) -> Header:
    """Reads a header. Raises DatabaseMalformed."""
    if len(blob) < _HEAD.size:
        raise DatabaseMalformed("A header is cut off.")
    count, size = _HEAD.unpack_from(blob)
    start = _HEAD.size + count * _ENTRY.size
    if not 0 < count <= _MOST_ENTRIES or start + size > len(blob):
        raise DatabaseMalformed("A header is longer than its blob.")
    entries: dict[int, tuple[int, int, int]] = {}
    for tag, kind, at, values in _ENTRY.iter_unpack(blob[_HEAD.size : start]):
        if at > size or values > size:
            raise DatabaseMalformed("A header points outside itself.")
        entries[tag] = (kind, at, values)
    return Header(blob[start : start + size], entries)
