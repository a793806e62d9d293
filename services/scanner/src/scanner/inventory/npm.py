"""npm packages: `package.json` in a folder of `node_modules`, each nested copy by itself.

Format: npm's manual, "package.json".
"""

import re
from collections.abc import Iterator, Set

import msgspec

from scanner.inventory.analyzer import Analyzer, Files, Found, Image, Wanted
from scanner.inventory.evidence import Identity, each_package

ECOSYSTEM = "npm"

_LARGEST = 2**20
_INSTALLED = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@.][^/]*/package\.json", re.DOTALL)
_NAME = re.compile(r"(?:@[^/@\s\0]+/)?[^/@\s\0]+")
_VERSION = re.compile(r"[^\s\0]{1,256}")
_LONGEST = 214
"""Characters of a name, npm's own bound."""
_MARK = b"\xef\xbb\xbf"


class _Manifest(msgspec.Struct, frozen=True):
    name: str | None = None
    version: str | None = None


def find_packages(image: Image) -> Iterator[Found]:
    """The packages in folders called `node_modules`, or that a link of this name leads to.

    Other files are no installed packages, but of whatever is developed, examples, or fragments of a package that say
    how they are loaded. No package's name begins with a dot: what lies there are caches.
    """
    folders = {link.leads_to for link in image.links if link.name == "node_modules"}
    return each_package(_installed(image.of("npm"), folders), read_package_json, ECOSYSTEM)


def _installed(files: Files, folders: Set[str]) -> Files:
    return [(path, kept) for path, kept in files if _INSTALLED.fullmatch(path) or _lies_in(path, folders)]


def _lies_in(path: str, folders: Set[str]) -> bool:
    """Whether a package's file lies where one of these folders would have it if it were called `node_modules`."""
    above, _, name = path.rpartition("/")[0].rpartition("/")
    parent, _, scope = above.rpartition("/")
    return name[:1] not in {"", "@", "."} and (above in folders or (scope.startswith("@") and parent in folders))


def read_package_json(body: bytes) -> Identity | str | None:
    """Name and version; None where it gives none of one, being no package; a sentence where it can't be read."""
    try:
        manifest = msgspec.json.decode(body.removeprefix(_MARK), type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return f"It is no package.json: {problem}."
    if not manifest.name or not manifest.version:
        return None
    if not _NAME.fullmatch(manifest.name) or len(manifest.name) > _LONGEST:
        return "Its name is none of an npm package."
    if not _VERSION.fullmatch(manifest.version):
        return "Its version is none of an npm package."
    return manifest.name, manifest.version


ANALYZER = Analyzer("npm", 1, {"npm": Wanted(r"package\.json", _LARGEST, describing=True)}, find_packages)
