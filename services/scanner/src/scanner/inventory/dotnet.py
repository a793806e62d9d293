"""Packages of .NET: those of NuGet that a program was published with, by its `.deps.json`.

Format: .NET's documentation, "runtimeconfig.json and deps.json": libraries by `name/version`, each of a type.
"""

from collections.abc import Iterator, Mapping

import msgspec

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.listings import Listed, decode_json, each_listed, listed, listing
from scanner.inventory.model import Evidence

ECOSYSTEM = "NuGet"

_PACKAGE, _RUNTIME = "package", "runtimepack"
"""Types of libraries. A runtime that comes with a program is a package as well, its name led by the type and a dot."""


class _Library(msgspec.Struct, frozen=True):
    type: str = ""


class _Use(msgspec.Struct, frozen=True, rename="camel"):
    compile_only: bool = False


class _Dependencies(msgspec.Struct, frozen=True):
    libraries: Mapping[str, _Library] = msgspec.field(default_factory=dict)
    targets: Mapping[str, Mapping[str, _Use]] = msgspec.field(default_factory=dict)


def read_dependencies(body: bytes) -> Iterator[Listed | str]:
    """The packages that a program runs with; those that it was only compiled with are not there. Raises NoEssence."""
    told = decode_json(body, _Dependencies)
    absent = {name for target in told.targets.values() for name, use in target.items() if use.compile_only}
    for library, what in told.libraries.items():
        if what.type in {_PACKAGE, _RUNTIME} and library not in absent:
            name, _, version = library.partition("/")
            yield listed(name.removeprefix(f"{_RUNTIME}."), version)


def find_packages(image: Image) -> Iterator[Found]:
    """The packages of an image, and what of them could not be read."""
    return each_listed(image.of("dotnet"), read_dependencies, ECOSYSTEM, Evidence.METADATA)


ANALYZER = Analyzer("dotnet", 1, {"dotnet": Wanted(r"[^/]+\.deps\.json", listing(read_dependencies))}, find_packages)
