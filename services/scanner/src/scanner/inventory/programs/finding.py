"""From what programs tell to the packages of an image."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from packageurl import PackageURL

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.evidence import unreadable
from scanner.inventory.model import WITHOUT_ADVISORIES, Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.programs import notes
from scanner.inventory.programs.component import Component, Kind
from scanner.inventory.programs.go import NO_VERSION
from scanner.inventory.programs.known import PROGRAMS
from scanner.inventory.programs.reading import PROGRAM, known_program, known_shell, read_components
from scanner.inventory.purls import purl_of
from scanner.inventory.unowned import KNOWN_SHELLS, shell_pattern
from scanner.layers.paths import printable

TOOLCHAIN = "toolchain"
"""What Go's advisories call it."""
_NOTES = {
    "go_toolchain": (TOOLCHAIN, notes.read_go_version, notes.GO_TOOLCHAIN),
    "java_runtime": ("java", notes.read_java_version, notes.JAVA_RUNTIME),
}
_OF_KNOWN = {TOOLCHAIN: "Go"} | dict.fromkeys(
    (
        *("apache", "haproxy", "java", "mariadb", "memcached", "nginx"),
        *("node", "php", "postgresql", "python", "redis", "ruby"),
    ),
    "Bitnami",
)
"""Those that a feed speaks of under the same name, with versions as those are."""
_ECOSYSTEMS = {Kind.GO: "Go", Kind.RUST: "crates.io"}


def find_packages(image: Image) -> Iterator[Found]:
    """What the programs of an image are, as far as it is known, and what they were built from."""
    for path, kept in chain.from_iterable(map(image.of, _PROGRAMS)):
        if kept.file.body is None:
            yield unreadable(path, kept, kept.file.problem)
            continue
        for component, layer in first_layer(kept, read_components):
            yield _package(component, layer, printable(path))
    for kind, (name, read, _) in _NOTES.items():
        for path, kept in image.of(kind):
            for version, layer in first_layer(kept, partial(_versions, read)):
                yield _package(Component(Kind.TEXT, name, version), layer, printable(path))


def _versions(read: Callable[[bytes], str | None], body: bytes) -> list[str]:
    return [version] if (version := read(body)) else []


def _package(component: Component, layer: str, path: str) -> Package:
    return Package(
        ecosystem=_ecosystem(component),
        name=component.name,
        version=component.version,
        arch="",
        source_name="",
        source_version="",
        purl=_purl(component),
        layer=layer,
        path=path,
        evidence=Evidence.CLASSIFIER if component.kind is Kind.TEXT else Evidence.BINARY,
    )


def _ecosystem(component: Component) -> str:
    if component.kind is Kind.TEXT:
        return _OF_KNOWN.get(component.name, WITHOUT_ADVISORIES)
    return WITHOUT_ADVISORIES if component.origin else _ECOSYSTEMS[component.kind]


def _purl(component: Component) -> str:
    """Its package URL; that of a crate from elsewhere says from where. A program is whoever's who built it."""
    if component.kind is Kind.RUST and component.origin:
        return PackageURL("cargo", None, component.name, component.version, {"source": component.origin}).to_string()
    if component.kind is Kind.TEXT and component.name != TOOLCHAIN:
        return PackageURL("generic", None, component.name, component.version).to_string()
    version = "" if component.version == NO_VERSION else component.version
    return purl_of(
        _ecosystem(component) if component.kind is Kind.TEXT else _ECOSYSTEMS[component.kind], component.name, version
    )


_SHELLS = {f"shell_{name}": Wanted(shell_pattern(name), known_shell(name), at_root=True) for name in KNOWN_SHELLS}
_KNOWN = {f"program_{name}": Wanted(one.files, known_program(name)) for name, one in PROGRAMS.items()}
_PROGRAMS = (*_SHELLS, *_KNOWN, "program")

ANALYZER = Analyzer(
    name="programs",
    version=3,
    wanted={
        **_SHELLS,
        **{kind: Wanted(pattern, notes.HEAD) for kind, (_, _, pattern) in _NOTES.items()},
        **_KNOWN,
        "program": Wanted(r"[^/]+", PROGRAM),
    },
    find=find_packages,
)
