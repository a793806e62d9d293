"""`package-lock.json`, of versions 1 to 3, and `npm-shrinkwrap.json`. Format: npm's manual, "package-lock.json"."""

from collections.abc import Iterator, Mapping

import msgspec

from scanner.inventory.listings import Listed, decode_json, listed

_ALIAS = "npm:"
_FOLDER = "node_modules/"


class _Entry(msgspec.Struct, frozen=True):
    """What lies at a path, of versions 2 and 3."""

    version: str = ""
    name: str = ""
    dev: bool = False
    link: bool = False


class _Nested(msgspec.Struct, frozen=True):
    """What a package needs, of version 1, with what lies in its own folder."""

    version: str = ""
    dev: bool = False
    dependencies: "Mapping[str, _Nested]" = msgspec.field(default_factory=dict)


class _Lock(msgspec.Struct, frozen=True):
    packages: Mapping[str, _Entry] | None = None
    dependencies: Mapping[str, _Nested] = msgspec.field(default_factory=dict)


def read_package_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a lock file of npm, without those for development. Raises NoEssence."""
    lock = decode_json(body, _Lock)
    return _by_name(lock.dependencies) if lock.packages is None else _by_path(lock.packages)


def _by_path(packages: Mapping[str, _Entry]) -> Iterator[Listed | str]:
    """What lies in a folder of packages: other paths are of the application itself."""
    for path, entry in packages.items():
        _, folder, name = path.rpartition(_FOLDER)
        if folder and entry.version and not entry.dev and not entry.link:
            yield listed(entry.name or name, entry.version)


def _by_name(dependencies: Mapping[str, _Nested]) -> Iterator[Listed | str]:
    stack = [dependencies]
    while stack:
        for name, entry in stack.pop().items():
            stack.append(entry.dependencies)
            aliased, _, version = entry.version.removeprefix(_ALIAS).rpartition("@")
            if version and ":" not in aliased + version and not entry.dev:
                yield listed(aliased or name, version)
