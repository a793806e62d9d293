"""The order of versions in each ecosystem.

A key is bytes that compare as the versions do, so that a range of versions is a range in an index of a database.
"""

from collections.abc import Callable, Mapping

from scanner.versions import dpkg, pep440, semver
from scanner.versions.errors import InvalidVersion, UnknownEcosystem

__all__ = ["InvalidVersion", "UnknownEcosystem", "compare", "is_known", "key"]

_KEYS: Mapping[str, Callable[[str], bytes]] = {
    "Debian": dpkg.key,
    "Ubuntu": dpkg.key,
    "PyPI": pep440.key,
    "npm": semver.key,
}


def is_known(ecosystem: str) -> bool:
    """Whether the versions of an ecosystem can be compared; `ecosystem` is OSV's name, with or without a release."""
    return ecosystem.partition(":")[0] in _KEYS


def key(ecosystem: str, version: str) -> bytes:
    """Bytes that compare as the version does in its ecosystem (OSV's name, with or without a release).

    Raises InvalidVersion for what is no version of the ecosystem, and UnknownEcosystem.
    """
    try:
        make = _KEYS[ecosystem.partition(":")[0]]
    except KeyError:
        raise UnknownEcosystem(ecosystem) from None
    return make(version)


def compare(ecosystem: str, first: str, second: str) -> int:
    """-1, 0 or 1, as `first` comes before, equals or comes after `second`.

    Python versions that are not of PEP 440 come before all that are. Raises InvalidVersion and UnknownEcosystem.
    """
    one, other = _order_key(ecosystem, first), _order_key(ecosystem, second)
    return (one > other) - (one < other)


def _order_key(ecosystem: str, version: str) -> bytes:
    try:
        return key(ecosystem, version)
    except InvalidVersion:
        if ecosystem.partition(":")[0] != "PyPI":
            raise
        return pep440.legacy_key(version)
