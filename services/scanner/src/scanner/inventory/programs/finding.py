"""From what programs tell to the packages of an image."""

from collections.abc import Iterator

from packageurl import PackageURL

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.evidence import unreadable
from scanner.inventory.model import WITHOUT_ADVISORIES, Evidence, Package
from scanner.inventory.origins import first_layer
from scanner.inventory.programs.component import Component, Kind
from scanner.inventory.programs.go import NO_VERSION
from scanner.inventory.programs.reading import PROGRAM, read_components
from scanner.inventory.purls import purl_of
from scanner.layers.paths import printable

_ECOSYSTEMS = {Kind.GO: "Go", Kind.RUST: "crates.io"}


def find_packages(image: Image) -> Iterator[Found]:
    """What the programs of an image were built from."""
    for path, kept in image.of("program"):
        if kept.file.body is None:
            yield unreadable(path, kept, kept.file.problem)
            continue
        for component, layer in first_layer(kept, read_components):
            yield _package(component, layer, printable(path))


def _package(component: Component, layer: str, path: str) -> Package:
    return Package(
        ecosystem=WITHOUT_ADVISORIES if component.origin else _ECOSYSTEMS[component.kind],
        name=component.name,
        version=component.version,
        arch="",
        source_name="",
        source_version="",
        purl=_purl(component),
        layer=layer,
        path=path,
        evidence=Evidence.BINARY,
    )


def _purl(component: Component) -> str:
    """Its package URL; that of a crate from elsewhere says from where."""
    if component.kind is Kind.RUST and component.origin:
        return PackageURL("cargo", None, component.name, component.version, {"source": component.origin}).to_string()
    version = "" if component.version == NO_VERSION else component.version
    return purl_of(_ECOSYSTEMS[component.kind], component.name, version)


ANALYZER = Analyzer("programs", 2, {"program": Wanted(r"[^/]+", PROGRAM)}, find_packages)
