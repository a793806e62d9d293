"""Files that a toolchain or runtime brings with it and that tell its version.

Formats: Go's `VERSION`, whose first line is the version; the `release` of Java runtimes, lines of `NAME="value"`.
"""

import re

GO_TOOLCHAIN = r"go/VERSION"
JAVA_RUNTIME = r"release"
HEAD = 16 * 2**10

_GO = re.compile(rb"go([0-9]+(?:\.[0-9]+){1,2})(?:(beta|rc)([0-9]+))?\n")
_JAVA = re.compile(rb'^JAVA_VERSION="([0-9]+(?:\.[0-9]+){0,3})(?:_([0-9]+))?[^"\n]*"\r?$', re.MULTILINE)
_OLD = "1."
"""What the versions of Java began with up to 8."""


def read_go_version(body: bytes) -> str | None:
    """The version of a toolchain of Go, as Semantic Versioning has it; None where it is no such file."""
    told = _GO.match(body)
    if told is None:
        return None
    release, stage, number = (part.decode() if part else "" for part in told.groups())
    return f"{release}-{stage}.{number}" if stage else release


def read_java_version(body: bytes) -> str | None:
    """The version of a Java runtime, `1.8.0_392` as `8.0.392`; None where it is no such file."""
    told = _JAVA.search(body)
    if told is None or b"\nOS_ARCH=" not in b"\n" + body:
        return None
    numbers, update = told[1].decode(), told[2]
    if not numbers.startswith(_OLD):
        return numbers
    major, *_ = numbers.removeprefix(_OLD).split(".")
    return f"{major}.0.{int(update or 0)}"
