"""Python's version order: PEP 440 by the library `packaging`, and the older rule for what is none.

The older rule is that of setuptools before version 66: such versions come before all of PEP 440, and compare piece by
piece.
"""

import re

from packaging.version import InvalidVersion as NotPep440
from packaging.version import Version

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion

_LEGACY, _PEP440 = b"\x00", b"\x01"
_END, _TEXT, _NUMBER = b"\x00", b"\x01", b"\x02"
_PRE_RANK = {"a": b"\x01", "b": b"\x02", "rc": b"\x03"}
_DEV_ONLY, _NO_PRE = b"\x00", b"\x04"
_ABSENT, _PRESENT = b"\x00", b"\x01"

_LONGEST = 256
_PIECE = re.compile(r"[0-9]+|[a-z]+|\.|-", re.ASCII)
_REPLACED = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)


def key(version: str) -> bytes:
    """Bytes that compare as the version does. Raises InvalidVersion for what PEP 440 does not know."""
    try:
        parsed = Version(_bounded(version))
    except NotPep440 as problem:
        raise InvalidVersion("PEP 440", version, "it does not follow the scheme") from problem
    release = list(parsed.release)
    while release and release[-1] == 0:
        release.pop()
    return b"".join(
        [
            _PEP440,
            number_key(str(parsed.epoch)),
            *(_NUMBER + number_key(str(number)) for number in release),
            _END,
            _pre_key(parsed),
            _ABSENT if parsed.post is None else _PRESENT + number_key(str(parsed.post)),
            _PRESENT if parsed.dev is None else _ABSENT + number_key(str(parsed.dev)),
            _local_key(parsed.local),
        ]
    )


def legacy_key(version: str) -> bytes:
    """Bytes that compare as the older rule says, before those of every PEP 440 version.

    Raises InvalidVersion for what is empty, longer than 256 characters, or not of visible ASCII.
    """
    if not _PRINTABLE.fullmatch(_bounded(version)):
        raise InvalidVersion("Python", version, "it is empty or holds a character that may not be there")
    return _LEGACY + b"".join(_TEXT + piece.encode("ascii") + _END for piece in _legacy_pieces(version)) + _END


def _bounded(version: str) -> str:
    if len(version) > _LONGEST:
        raise InvalidVersion("Python", version, f"it is longer than {_LONGEST} characters")
    return version


def _pre_key(version: Version) -> bytes:
    if version.pre is not None:
        name, number = version.pre
        return _PRE_RANK[name] + number_key(str(number))
    return _DEV_ONLY if version.post is None and version.dev is not None else _NO_PRE


def _local_key(local: str | None) -> bytes:
    if local is None:
        return _END
    pieces = (
        _NUMBER + number_key(piece) if piece.isdigit() else _TEXT + piece.encode("ascii") + _END
        for piece in local.split(".")
    )
    return _PRESENT + b"".join(pieces) + _END


def _legacy_pieces(version: str) -> list[str]:
    pieces: list[str] = []
    for found in [*_split(version.lower()), "*final"]:
        if found.startswith("*"):
            while found < "*final" and pieces and pieces[-1] == "*final-":
                pieces.pop()
            while pieces and pieces[-1] == "00000000":
                pieces.pop()
        pieces.append(found)
    return pieces


def _split(version: str) -> list[str]:
    pieces = []
    position = 0
    for match in [*_PIECE.finditer(version), None]:
        between = version[position : match.start() if match else len(version)]
        pieces += [between] if between else []
        pieces += [match[0]] if match else []
        position = match.end() if match else position
    return [_legacy_piece(_REPLACED.get(piece, piece)) for piece in pieces if piece != "."]


def _legacy_piece(piece: str) -> str:
    return piece.zfill(8) if piece[0].isdigit() else "*" + piece
