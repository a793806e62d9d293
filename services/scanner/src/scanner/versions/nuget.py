"""NuGet's order: that of semantic versions with up to four numbers, and without regard to case.

The rules are those of https://learn.microsoft.com/nuget/concepts/package-versioning.
"""

import re

from scanner.versions.encoding import number_key
from scanner.versions.errors import InvalidVersion
from scanner.versions.semver import prerelease_key

_LONGEST = 256
_NUMBERS = 4
_VERSION = re.compile(
    r"(?P<numbers>[0-9]+(?:\.[0-9]+){0,3})(?:-(?P<prerelease>[0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z.-]*)?", re.ASCII
)


def key(version: str) -> bytes:
    """Bytes that compare as the version does. Raises InvalidVersion."""
    match = _VERSION.fullmatch(version.lower()) if len(version) <= _LONGEST else None
    if match is None:
        raise InvalidVersion("NuGet", version, "it does not follow the scheme")
    numbers = match["numbers"].split(".")
    numbers += ["0"] * (_NUMBERS - len(numbers))
    return b"".join(map(number_key, numbers)) + prerelease_key(match["prerelease"])
