"""From a package URL in a document to a package whose advisories are known. Source: the purl specification's types."""

import re
from collections.abc import Mapping
from typing import Final

from packageurl import PackageURL

from scanner.inventory.families import FAMILIES
from scanner.inventory.model import Distribution, Evidence, Package
from scanner.inventory.purls import named_by, purl_of

_MANAGERS: Final[Mapping[str, str]] = {"deb": "dpkg", "apk": "apk", "rpm": "rpm"}
_IDS: Final[Mapping[str, str]] = {
    "redhat": "rhel",
    "amazon": "amzn",
    "oracle": "ol",
    "alma": "almalinux",
    "suse": "sles",
}
"""What tools call distributions in package URLs, where os-release calls them otherwise."""
_LONGEST: Final = 2048
_LONGEST_NAME: Final = 512
_LONGEST_VERSION: Final = 256
_SOURCE_RPM: Final = re.compile(r"(.+)-([^-]+-[^-]+)\.src\.rpm")


def claimed(purl: str, version: str, document: str, distribution: Distribution | None) -> Package | str:
    """The package that a document tells of, or why it is left out, as a sentence.

    `version` counts where the package URL has none; `distribution` is the image's, which a package belongs to that does
    not say of which release it is.
    """
    if not purl:
        return "It has no package URL."
    try:
        parsed = PackageURL.from_string(purl) if len(purl) <= _LONGEST else None
    except ValueError:
        parsed = None
    if parsed is None:
        return "Its package URL can't be read."
    package = _package(parsed, parsed.version or version, document, distribution)
    if isinstance(package, Package) and not _can_be_kept(package):
        return "Its name or version is empty, too long, or no text."
    return package


def _package(purl: PackageURL, version: str, document: str, distribution: Distribution | None) -> Package | str:
    if purl.type in _MANAGERS:
        return _of_distribution(purl, version, document, distribution)
    named = named_by(purl)
    if named is None:
        return f"No ecosystem is known for package URLs of the type {purl.type[:32]}."
    ecosystem, name = named
    version = version.removeprefix("v") if ecosystem == "Go" else version
    written = purl_of(ecosystem, name, version)
    return Package(ecosystem, name, version, "", "", "", written, "", document, evidence=Evidence.CLAIM)


def _of_distribution(purl: PackageURL, version: str, document: str, distribution: Distribution | None) -> Package | str:
    ecosystem = _ecosystem(purl, distribution)
    if ecosystem is None:
        return f"It does not say of which release of a known distribution with {_MANAGERS[purl.type]} it is."
    qualifiers = _qualifiers(purl)
    epoch = qualifiers.get("epoch", "")
    if purl.type == "rpm" and epoch not in {"", "0"} and ":" not in version:
        version = f"{epoch}:{version}"
    source, source_version = _source(qualifiers.get("upstream", ""))
    return Package(
        ecosystem=ecosystem,
        name=purl.name,
        version=version,
        arch=qualifiers.get("arch", "")[:64],
        source_name=source or purl.name,
        source_version=source_version or version,
        purl=purl.to_string(),
        layer="",
        path=document,
        evidence=Evidence.CLAIM,
    )


def _ecosystem(purl: PackageURL, distribution: Distribution | None) -> str | None:
    """The ecosystem that `distro` names; without a release there, the image's own where it is of that distribution."""
    namespace = purl.namespace or ""
    known = _IDS.get(namespace, namespace)
    family = FAMILIES.get(known)
    if family is None or family.manager != _MANAGERS[purl.type]:
        return None
    own = distribution if distribution and distribution.id == known else None
    told = _qualifiers(purl).get("distro", "").removeprefix(f"{namespace}-")
    if told[:1].isdigit():
        return family.ecosystem(told, own.pretty_name if own else "")
    return own.ecosystem if own else None


def _source(upstream: str) -> tuple[str, str]:
    """Name and version of the source package, as far as they are told."""
    if match := _SOURCE_RPM.fullmatch(upstream):
        return match[1], match[2]
    name, _, version = upstream.partition("@")
    return name, version


def _qualifiers(purl: PackageURL) -> Mapping[str, str]:
    return purl.qualifiers if isinstance(purl.qualifiers, dict) else {}


def _can_be_kept(package: Package) -> bool:
    names = (package.name, package.source_name or package.name)
    versions = (package.version, package.source_version or package.version)
    texts = (*names, *versions, package.arch or "-", package.purl)
    return (
        all(text and text.isprintable() for text in texts)
        and all(len(name) <= _LONGEST_NAME for name in names)
        and all(len(version) <= _LONGEST_VERSION for version in versions)
    )
