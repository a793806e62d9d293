"""The manifest of an archive of Java.

Format: the JAR file specification, "JAR Manifest": only the main section, to the first empty line, is of the archive.
"""

import re
from collections.abc import Mapping

_VERSIONS = ("implementation-version", "bundle-version", "specification-version", "plugin-version")
"""What tells the archive's version: Java's own names, OSGi's and Jenkins'; the first that is there counts."""
_VERSION = re.compile(r"[^\s\0$]{1,256}")


def read_version(body: bytes) -> str:
    """The version that a manifest says; empty where it says none."""
    fields = _main_section(body)
    said = (fields[name] for name in _VERSIONS if _VERSION.fullmatch(fields.get(name, "")))
    return next(said, "")


def _main_section(body: bytes) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            break
        if line[0] == " ":
            fields[name] = fields.get(name, "") + line[1:]
        else:
            name, _, value = line.partition(":")
            name = name.lower()
            fields.setdefault(name, value.removeprefix(" "))
    return {name: value.strip() for name, value in fields.items()}
