"""npm packages: `package.json` in a folder of `node_modules`, each nested copy by itself.

Format: npm's manual, "package.json".
"""

import re
from collections.abc import Iterable, Iterator, Set

import msgspec
from packageurl import PackageURL

from scanner.inventory.evidence import Found, Identity, each_package
from scanner.layers.tree import Kept

ECOSYSTEM = "npm"
PATTERN = r"package\.json"
LARGEST = 2**20

_INSTALLED = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@][^/]*/package\.json", re.DOTALL)
_NAME = re.compile(r"(?:@[^/@\s]+/)?[^/@\s]+")
_VERSION = re.compile(r"\S{1,256}")
_LONGEST = 214
"""Characters of a name, npm's own bound."""
_MARK = b"\xef\xbb\xbf"


class _Manifest(msgspec.Struct, frozen=True):
    name: str | None = None
    version: str | None = None


def find_packages(files: Iterable[tuple[str, Kept]], folders: Set[str]) -> Iterator[Found]:
    """The packages that these files tell of, and what of them could not be read.

    `folders` are those that a link called `node_modules` leads to. Other files are no installed packages, but of
    whatever is developed, or examples.
    """
    installed = [(path, kept) for path, kept in files if _INSTALLED.fullmatch(path) or _lies_in(path, folders)]
    return each_package(installed, read_package_json, ECOSYSTEM, _purl)


def _lies_in(path: str, folders: Set[str]) -> bool:
    """Whether a package's file lies where one of these folders would have it if it were called `node_modules`."""
    above, _, name = path.rpartition("/")[0].rpartition("/")
    parent, _, scope = above.rpartition("/")
    return name[:1] not in {"", "@"} and (above in folders or (scope.startswith("@") and parent in folders))


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


def _purl(name: str, version: str) -> str:
    scope, _, plain = name.rpartition("/")
    return PackageURL("npm", scope or None, plain, version).to_string()
