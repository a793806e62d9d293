"""The order of versions in each ecosystem.

A key is bytes that compare as the versions do, so that a range of versions is a range in an index of a database.
"""

from collections.abc import Callable, Mapping

from scanner.versions import apk, dpkg, nuget, pep440, rpm, semver
from scanner.versions.errors import InvalidVersion, UnknownEcosystem

__all__ = ["InvalidVersion", "UnknownEcosystem", "compare", "is_known", "key"]

_APK = ("Alpine", "Alpaquita", "Wolfi", "Chainguard")
_RPM = ("AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "Azure Linux", "Photon OS")
_SEMANTIC = ("npm", "Go", "crates.io", "Hex", "Bitnami")

_KEYS: Mapping[str, Callable[[str], bytes]] = {
    "Debian": dpkg.key,
    "Ubuntu": dpkg.key,
    "PyPI": pep440.key,
    "NuGet": nuget.key,
    **dict.fromkeys(_APK, apk.key),
    **dict.fromkeys(_RPM, rpm.key),
    **dict.fromkeys(_SEMANTIC, semver.key),
}
_MATCHED = {"Debian", "Ubuntu", "PyPI", "npm"}


def is_known(ecosystem: str) -> bool:
    """Whether packages of an ecosystem are matched by version; `ecosystem` is OSV's name, with or without a release.

    More ecosystems have an order than are matched: what was stored before there was one holds neither the keys nor the
    intervals, and an image must not look clean for lack of them.
    """
    return ecosystem.partition(":")[0] in _MATCHED


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
