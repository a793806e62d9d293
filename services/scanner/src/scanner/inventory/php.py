"""Packages of PHP: what Composer says that it has installed.

Format: Composer's `vendor/composer/installed.json`, a list in version 1, with the list in it in version 2.
"""

from collections.abc import Iterator

import msgspec

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.listings import Listed, decode_json, each_listed, listed, listing
from scanner.inventory.model import Evidence

ECOSYSTEM = "Packagist"


class _Package(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class _Installed(msgspec.Struct, frozen=True):
    packages: list[_Package] = msgspec.field(default_factory=list)


def read_installed(body: bytes) -> Iterator[Listed | str]:
    """The packages of an `installed.json`. Raises NoEssence."""
    if body.lstrip().startswith(b"["):
        packages = decode_json(body, list[_Package])
    else:
        packages = decode_json(body, _Installed).packages
    return (listed(package.name, package.version) for package in packages)


def find_packages(image: Image) -> Iterator[Found]:
    """The packages of an image, and what of them could not be read."""
    return each_listed(image.of("php"), read_installed, ECOSYSTEM, Evidence.METADATA)


ANALYZER = Analyzer("php", 1, {"php": Wanted(r"composer/installed\.json", listing(read_installed))}, find_packages)
