"""The files of apk's packages: the lines of its database with the letters F (directory), R (file) and Z (digest).

Format: Alpine's wiki, "Apk spec"; digests as in apk-tools' source, `Q1` and SHA-1 or `Q2` and SHA-256, in base64.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence, Set

from scanner.inventory.analyzer import Files, Owned
from scanner.inventory.model import Package
from scanner.inventory.stanzas import text_of

_ALGORITHMS = {"Q1": "sha1", "Q2": "sha256"}


def owned_in(files: Files, installed: Sequence[Package], names: Set[str]) -> Iterator[Owned]:
    """The files of these names that packages own by the files of the database."""
    owners = {(one.name, one.version, one.arch): one for one in installed}
    for _, kept in files:
        for block in text_of(kept.file.body or b"").split("\n\n"):
            lines = block.split("\n")
            fields = {line[:1]: line[2:].strip() for line in lines if line[:2] in {"P:", "V:", "A:"}}
            owner = owners.get((fields.get("P", ""), fields.get("V", ""), fields.get("A", "")[:64]))
            if owner:
                yield from _files(lines, owner, names)


def _files(lines: Sequence[str], owner: Package, names: Set[str]) -> Iterator[Owned]:
    folder = ""
    for at, line in enumerate(lines):
        if line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:") and line[2:] in names:
            yield Owned(f"{folder}/{line[2:]}".lstrip("/"), owner, _digest(lines[at + 1 : at + 3]))


def _digest(after: Sequence[str]) -> str:
    """The digest of a file by the lines that come after its name, of which another may be its mode."""
    for line in after:
        if line.startswith(("F:", "R:")):
            break
        algorithm = _ALGORITHMS.get(line[2:4])
        if line.startswith("Z:") and algorithm:
            return f"{algorithm}:{_hex(line[4:])}"
    return ""


def _hex(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return "unreadable"
