"""The order of rpm: `[epoch:]version[-release]`, each part by rpm-version(7)."""

import re

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion

_LONGEST = 1024
_EPOCH = re.compile(r"([0-9]+):", re.ASCII)
_PIECE = re.compile(r"[0-9]+|[A-Za-z]+|~|\^", re.ASCII)
_TILDE, _END, _CARET, _TEXT, _NUMBER = (bytes((rank,)) for rank in range(1, 6))
"""What may come next, the least first."""
_ABSENT, _PRESENT = b"\x00", b"\x01"
"""No release comes before an empty one."""


def key(version: str) -> bytes:
    """Bytes that compare as the version does; without an epoch it is 0. Raises InvalidVersion."""
    if not version or len(version) > _LONGEST or not version.isprintable() or " " in version:
        raise InvalidVersion("rpm", version, "it is empty, too long, or holds a character that may not be there")
    epoch = _EPOCH.match(version)
    rest = version[epoch.end() :] if epoch else version
    name, hyphen, release = rest.rpartition("-")
    if not hyphen:
        name = rest
    release_key = _PRESENT + _part_key(release) if hyphen else _ABSENT
    return number_key(epoch[1] if epoch else "0") + _part_key(name) + release_key


def _part_key(part: str) -> bytes:
    """Whatever is neither letter, digit, `~` nor `^` only separates."""
    return b"".join(map(_piece_key, _PIECE.findall(part))) + _END


def _piece_key(piece: str) -> bytes:
    if piece == "~":
        return _TILDE
    if piece == "^":
        return _CARET
    return _NUMBER + number_key(piece) if piece.isdigit() else _TEXT + piece.encode("ascii") + b"\x00"
