"""The order of apk, as apk-tools 3 compares valid versions (apk-package(5), section "version").

`digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]`: what apk itself calls invalid is no version here either.
"""

import re

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion

_LONGEST = 256
_BEFORE, _AFTER = ("alpha", "beta", "pre", "rc"), ("cvs", "svn", "git", "hg", "p")
_SUFFIX = re.compile(rf"_({'|'.join((*_BEFORE, *_AFTER))})([0-9]*)", re.ASCII)
_VERSION = re.compile(
    rf"(?P<first>[0-9]+)(?P<others>(?:\.[0-9]+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:{_SUFFIX.pattern})*)"
    r"(?:~(?P<hash>[0-9a-f]+))?(?:-r(?P<revision>[0-9]+))?",
    re.ASCII,
)

_PRE, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _POST, _LETTER, _NUMBER = (bytes((rank,)) for rank in range(1, 9))
"""What may come next, the least first: a suffix of what comes before a release stands even before the end."""
_FRACTION, _WHOLE = b"\x01", b"\x02"


def key(version: str) -> bytes:
    """Bytes that compare as the version does. Raises InvalidVersion."""
    match = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if match is None:
        raise InvalidVersion("apk", version, "it does not follow the scheme")
    return b"".join(
        [
            number_key(match["first"]),
            *(_NUMBER + _later_number(digits) for digits in match["others"].split(".")[1:]),
            _LETTER + match["letter"].encode("ascii") if match["letter"] else b"",
            *(_suffix_key(name, digits) for name, digits in _SUFFIX.findall(match["suffixes"])),
            _HASH + match["hash"].encode("ascii") + b"\x00" if match["hash"] else b"",
            _REVISION + number_key(match["revision"]) if match["revision"] else b"",
            _END,
        ]
    )


def _later_number(digits: str) -> bytes:
    """After the first number, one that begins with 0 compares as text, and so before all that do not."""
    if digits.startswith("0"):
        return _FRACTION + digits.encode("ascii") + b"\x00"
    return _WHOLE + number_key(digits)


def _suffix_key(name: str, digits: str) -> bytes:
    rank = _PRE + bytes((_BEFORE.index(name),)) if name in _BEFORE else _POST + bytes((_AFTER.index(name),))
    return rank + (_SUFFIX_NUMBER + number_key(digits) if digits else b"")
