"""Debian's version order, by section 5.6.12 of the Debian policy manual and deb-version(7)."""

import re

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion

_SCHEME = "dpkg"
_EPOCH = re.compile(r"[0-9]{1,10}", re.ASCII)
_LARGEST_EPOCH = 2**31 - 1
_UPSTREAM = re.compile(r"[A-Za-z0-9.+:~-]+", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9.+~]+", re.ASCII)
_PAIR = re.compile(r"([^0-9]*)([0-9]*)", re.ASCII)

_END = b"\x02"
"""The end of a run of non-digits: after `~`, before everything else."""

_ORDER = bytes.maketrans(b"~+-.:", b"\x01\xa0\xa1\xa2\xa3")
"""`~` before the end, letters as they are, whatever else behind the letters, in ASCII order."""


def key(version: str) -> bytes:
    """Bytes that compare as the version does. Raises InvalidVersion."""
    epoch, upstream, revision = _split(version)
    return number_key(epoch) + _part_key(upstream) + _part_key(revision)


def _split(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    if not _EPOCH.fullmatch(epoch) or int(epoch) > _LARGEST_EPOCH:
        raise InvalidVersion(_SCHEME, version, "its epoch is no number")
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"
    if not _UPSTREAM.fullmatch(upstream):
        raise InvalidVersion(_SCHEME, version, "its upstream part is empty or holds a character that may not be there")
    if not _REVISION.fullmatch(revision):
        raise InvalidVersion(_SCHEME, version, "its revision is empty or holds a character that may not be there")
    return epoch, upstream, revision


def _part_key(part: str) -> bytes:
    pieces = []
    for text, digits in _PAIR.findall(part):
        if text or digits:
            pieces += [text.encode("ascii").translate(_ORDER), _END, number_key(digits)]
    return b"".join(pieces) + _END
