"""Programs known by their names, and the text in each that tells its version.

A text counts only in a file of the right name, and only in a form that the program itself prints or sends.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scanner.inventory.programs.component import Component, Kind
from scanner.inventory.programs.layout import LARGEST
from scanner.layers.wishes import Parts

_CHUNK = 2**20
_OVERLAP = 256
"""Bytes, more than a text that tells a version has."""
_NUMBERS = rb"[0-9](?<![0-9.][0-9])[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}"
"""Not in the middle of others. It begins with what is looked for fast."""
_STAGE = re.compile(r"(?<=[0-9])(a|b|rc|alpha|beta|RC)(?=[0-9])")


@dataclass(frozen=True, slots=True)
class Known:
    """A program: the names of its files, and a pattern whose group is its version."""

    files: str
    pattern: re.Pattern[bytes]


def _known(files: str, pattern: bytes) -> Known:
    return Known(files, re.compile(pattern.replace(b"VERSION", _NUMBERS)))


PROGRAMS: Mapping[str, Known] = {
    "apache": _known(r"httpd|apache2", rb"Apache/(VERSION)[ \0]"),
    "bash": _known(r"bash", rb"@\(#\)Bash version (VERSION)"),
    "busybox": _known(r"busybox", rb"BusyBox v(VERSION)"),
    "curl": _known(r"curl|libcurl(?:-gnutls)?\.so[.0-9]*", rb"curl[ /](VERSION)[ \0-]"),
    "haproxy": _known(r"haproxy", rb"\0(VERSION)-[0-9a-f]{6,12}\0"),
    "mariadb": _known(r"mariadbd|mysqld", rb"(VERSION)-MariaDB"),
    "memcached": _known(r"memcached", rb"memcached (VERSION)[\0\n]"),
    "nginx": _known(r"nginx", rb"nginx version: nginx/(VERSION)"),
    "node": _known(r"node|nodejs", rb"node\.js/v(VERSION)\0"),
    "openssl": _known(r"openssl|lib(?:ssl|crypto)\.so[.0-9]*", rb"OpenSSL (VERSION[a-z]{0,2}) +[0-9]{1,2} [A-Z]"),
    "perl": _known(r"perl[.0-9]*|libperl\.so[.0-9]*", rb"/perl5?/(VERSION)[/\0]"),
    "php": _known(r"php(?:-fpm|-cgi)?[.0-9]*|libphp[.0-9]*\.so", rb"X-Powered-By: PHP/(VERSION(?:[a-zA-Z]+[0-9]+)?)"),
    "postgresql": _known(r"postgres", rb"PostgreSQL ([0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,2})?)[ \0]"),
    "python": _known(
        r"python[.0-9]*[a-z]?|libpython[.0-9]+[a-z]?\.so[.0-9]*",
        rb"(3(?<![0-9.]3)\.(?:[6-9]|[12][0-9])\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?)\+?\0",
    ),
    "redis": _known(
        r"redis-server",
        rb"(VERSION)(?:(?:[0-9a-f]{12}|(?![0-9a-f]{11}-)[A-Za-z][A-Za-z0-9.-]{0,80})-)?[0-9]{10}[01][0-9a-f]{8}\0",
    ),
    "ruby": _known(r"ruby[.0-9]*|libruby[-.0-9]*\.so[.0-9]*", rb"ruby (VERSION)(?:p[0-9]+)? \([0-9]{4}-"),
}  # fmt: skip
"""By the names that OSV's Bitnami feed has for them, where it has one."""


def search(parts: Parts, name: str) -> list[Component]:
    """The program of this name, if the file is it, in the highest version that it tells of. Raises NoEssence."""
    found = {match[1].decode() for chunk in _chunks(parts) for match in PROGRAMS[name].pattern.finditer(chunk)}
    version = max(found, key=_numbers, default=None)
    return [] if version is None else [Component(Kind.TEXT, name, _STAGE.sub(_staged, version))]


def _numbers(version: str) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"[0-9]+", version)], version


def _staged(stage: re.Match[str]) -> str:
    """What stands before a release, as Semantic Versioning has it."""
    return f"-{stage[1].lower()}."


def _chunks(parts: Parts) -> Iterator[bytes]:
    """The file, or the first part of a larger one."""
    end = min(parts.size, LARGEST)
    for at in range(0, end, _CHUNK):
        yield parts.read(at, min(_CHUNK + _OVERLAP, end - at))
