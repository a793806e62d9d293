"""What tells that an image holds packages which are not read: the databases of other package managers, and programs
that every distribution brings as a package.
"""

import re
from collections.abc import Iterable

_DATABASES = {
    "pacman": r"var/lib/pacman/local/ALPM_DB_VERSION",
    "portage": r"var/db/pkg/[^/]+/[^/]+/PF",
    "opkg": r"(?:usr|var)/lib/opkg/status",
    "xbps": r"var/db/xbps/pkgdb-[^/]+",
    "pkgtools": r"var/(?:log|lib/pkgtools)/packages/[^/]+",
    "nix": r"nix/var/nix/db/db\.sqlite",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _DATABASES.items()}

DATABASE = "|".join(_DATABASES.values())
"""Where the databases of other package managers lie, as a pattern of whole paths."""

KNOWN_SHELLS = ("bash", "busybox")
"""Shells whose version their text tells."""


def shell_pattern(name: str) -> str:
    """Where a shell lies, as a pattern of whole paths."""
    return rf"(?:usr/)?s?bin/(?:{name})"


RUNTIME = (
    rf"{shell_pattern('sh|ash|dash|zsh|ksh|toybox')}"
    r"|(?:usr/)?lib(?:32|64|x32)?/(?:[^/]+/)?"
    r"(?:libc\.so(?:\.[0-9]+)*|libc-[0-9.]+\.so|libc\.musl-[^/]+|ld-[^/]*\.so[^/]*)"
)
"""Where C libraries and other shells lie, as a pattern of whole paths."""

_RUNTIME = re.compile(rf"{RUNTIME}|{shell_pattern('|'.join(KNOWN_SHELLS))}")


def is_runtime(path: str) -> bool:
    """Whether a C library or shell lies at a path."""
    return _RUNTIME.fullmatch(path) is not None


def managers_of(paths: Iterable[str]) -> list[str]:
    """The package managers whose databases lie at these paths, each once."""
    listed = list(paths)
    return [name for name, pattern in _COMPILED.items() if any(map(pattern.fullmatch, listed))]
