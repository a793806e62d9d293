"""Bounds on what a layer may hold."""

from dataclasses import dataclass

_KIB, _MIB, _GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of layers; what lies beyond is refused, never cut off in silence.

    `compressed` and `uncompressed` are bytes. `ratio` is uncompressed to compressed bytes and counts from
    `ratio_from` uncompressed bytes on, since small layers of zeros are common. `members` counts headers and compressed
    streams, `path` and `special_header` (a PAX header, a GNU long name, a sparse file's map) are bytes. `holes` are the
    bytes without data of all sparse files that are read. `kept` is the sum of the files' bytes that are kept in memory,
    `names` that of their paths, of the paths and targets of links, and of what their directories take, in bytes of
    memory. `image` is how much all layers of an image may take together.
    """

    compressed: int = 32 * _GIB
    uncompressed: int = 128 * _GIB
    ratio: int = 500
    ratio_from: int = 2 * _GIB
    members: int = 2_000_000
    path: int = 4 * _KIB
    special_header: int = _MIB
    holes: int = 4 * _GIB
    kept: int = 256 * _MIB
    names: int = 256 * _MIB
    image: int = _GIB
