"""Package URLs of languages. Source: the purl specification's types."""

from packageurl import PackageURL

from scanner.inventory.model import WITHOUT_ADVISORIES


def purl_of(ecosystem: str, name: str, version: str, arch: str = "") -> str:
    """The package URL of a package by the name of its ecosystem; an empty `version` is left out."""
    kind, separator = _KINDS[ecosystem]
    namespace, _, plain = name.rpartition(separator) if separator else ("", "", name)
    qualifiers = {"platform": arch} if arch else None
    return PackageURL(kind, namespace or None, plain, version or None, qualifiers).to_string()


_KINDS = {
    "Go": ("golang", "/"),
    "Maven": ("maven", ":"),
    "npm": ("npm", "/"),
    "NuGet": ("nuget", ""),
    "Packagist": ("composer", "/"),
    "PyPI": ("pypi", ""),
    "RubyGems": ("gem", ""),
    "crates.io": ("cargo", ""),
    WITHOUT_ADVISORIES: ("generic", ""),
}
"""The type of each ecosystem, and what stands in its names between the namespace and the rest."""
