"""`composer.lock`. Format: Composer's documentation, "Basic usage": `packages`, and apart those for development."""

from collections.abc import Iterator

import msgspec

from scanner.inventory.listings import Listed, decode_json, listed


class _Package(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class _Lock(msgspec.Struct, frozen=True):
    packages: list[_Package] = msgspec.field(default_factory=list)


def read_composer_lock(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `composer.lock`, without those for development. Raises NoEssence."""
    return (listed(package.name, package.version) for package in decode_json(body, _Lock).packages)
