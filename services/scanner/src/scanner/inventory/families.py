"""The distributions that are known: what os-release calls them, their package managers, and their ecosystems.

Ecosystems are OSV's with their releases (https://ossf.github.io/osv-schema/#defined-ecosystems). CentOS, Fedora, Oracle
and Amazon have none there: they are called in the same manner. Red Hat's in OSV are of products (`Red Hat:` and the
rest of a CPE); ours is of the release alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_RELEASE = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,8}))?(?:\.[0-9]{1,8})*", re.ASCII)

Release = Callable[[int, int | None], str | None]
"""From the first two numbers of a version to what names the release in the ecosystem; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution, all its releases.

    `rolling` names the ecosystem of a version that is no number; without it, such a one is not known.
    """

    name: str
    manager: str
    release: Release
    rolling: str | None = None

    def ecosystem(self, version: str, title: str) -> str | None:
        """The ecosystem of a release by VERSION_ID, and NAME where that matters; None where it is not known."""
        match = _RELEASE.fullmatch(version)
        if match is None:
            return self.rolling
        release = self.release(int(match[1]), None if match[2] is None else int(match[2]))
        stream = " Stream" if self.name == "CentOS" and "Stream" in title else ""
        return None if release is None else f"{self.name}{stream}:{release}"


@dataclass(frozen=True, slots=True)
class _Rolling(Family):
    """A distribution without releases: whatever the version, the ecosystem is the same."""

    def ecosystem(self, version: str, title: str) -> str | None:
        return self.name


def _major(major: int, _minor: int | None) -> str | None:
    return str(major)


def _both(major: int, minor: int | None) -> str | None:
    return None if minor is None else f"{major}.{minor}"


def _alpine(major: int, minor: int | None) -> str | None:
    return None if minor is None else f"v{major}.{minor}"


def _ubuntu(year: int, month: int | None) -> str | None:
    """Every second year's April release is supported for long, and called so."""
    if month is None:
        return None
    return f"{year}.{month:02d}:LTS" if month == 4 and year % 2 == 0 else f"{year}.{month:02d}"  # noqa: PLR2004


def _suse(major: int, minor: int | None) -> str | None:
    return f"Linux Enterprise Server {major} SP{minor}" if minor else f"Linux Enterprise Server {major}"


def _leap(major: int, minor: int | None) -> str | None:
    return None if minor is None else f"Leap {major}.{minor}"


def _amazon(major: int, _minor: int | None) -> str | None:
    """The first one counted its releases by year and month."""
    return "1" if major in range(2011, 2019) else str(major)


def _one(_major: int, _minor: int | None) -> str | None:
    return ""


FAMILIES: Mapping[str, Family] = {
    "debian": Family("Debian", "dpkg", _major),
    "ubuntu": Family("Ubuntu", "dpkg", _ubuntu),
    "alpine": Family("Alpine", "apk", _alpine, rolling="Alpine:edge"),
    "alpaquita": Family("Alpaquita", "apk", _major, rolling="Alpaquita:stream"),
    "wolfi": _Rolling("Wolfi", "apk", _one),
    "chainguard": _Rolling("Chainguard", "apk", _one),
    "rhel": Family("Red Hat", "rpm", _major),
    "centos": Family("CentOS", "rpm", _major),
    "fedora": Family("Fedora", "rpm", _major),
    "rocky": Family("Rocky Linux", "rpm", _major),
    "almalinux": Family("AlmaLinux", "rpm", _major),
    "ol": Family("Oracle Linux", "rpm", _major),
    "amzn": Family("Amazon Linux", "rpm", _amazon),
    "sles": Family("SUSE", "rpm", _suse),
    "opensuse-leap": Family("openSUSE", "rpm", _leap),
    "opensuse-tumbleweed": Family("openSUSE", "rpm", lambda _major, _minor: "Tumbleweed"),
    "photon": Family("Photon OS", "rpm", _both),
    "azurelinux": Family("Azure Linux", "rpm", _major),
    "mariner": Family("Azure Linux", "rpm", _major),
}
"""By ID of os-release."""
