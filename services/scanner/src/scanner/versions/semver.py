"""The order of Semantic Versioning 2.0.0 (section 11), read as leniently as published advisories need.

A leading `v` or `=` is ignored, missing numbers are 0, and numbers after the third count as build metadata, which has
no order.
"""

import re

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion

_LONGEST = 256
_VERSION = re.compile(
    r"[v=]{0,2}(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?(?:\.[0-9]+)*"
    r"(?:-(?P<prerelease>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]*)?",
    re.ASCII,
)
_END, _NUMBER, _TEXT = b"\x00", b"\x01", b"\x02"
_PRERELEASE, _RELEASE = b"\x01", b"\x02"


def key(version: str) -> bytes:
    """Bytes that compare as the version does. Raises InvalidVersion."""
    match = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if match is None:
        raise InvalidVersion("semantic", version, "it does not follow the scheme")
    numbers = b"".join(number_key(match[name] or "0") for name in ("major", "minor", "patch"))
    return numbers + prerelease_key(match["prerelease"])


def prerelease_key(prerelease: str | None) -> bytes:
    """Bytes that compare as the identifiers of a prerelease do; None is a release, which comes after all of them."""
    if prerelease is None:
        return _RELEASE
    return _PRERELEASE + b"".join(map(_identifier_key, prerelease.split("."))) + _END


def _identifier_key(identifier: str) -> bytes:
    if identifier.isdigit():
        return _NUMBER + number_key(identifier)
    return _TEXT + identifier.encode("ascii") + _END
