"""Package URLs of languages. Source: the purl specification's types."""

from packageurl import PackageURL

from scanner.inventory.model import WITHOUT_ADVISORIES


def purl_of(ecosystem: str, name: str, version: str, arch: str = "") -> str:
    """The package URL of a package by the name of its ecosystem; an empty `version` is left out."""
    kind, separator = _KINDS[ecosystem]
    namespace, _, plain = name.rpartition(separator) if separator else ("", "", name)
    qualifiers = {"platform": arch} if arch else None
    return PackageURL(kind, namespace or None, plain, version or None, qualifiers).to_string()


def named_by(purl: PackageURL) -> tuple[str, str] | None:
    """OSV's name of a package's ecosystem, and the package's name in it; None where none is known for the type."""
    ecosystem = _ECOSYSTEMS.get(purl.type)
    if ecosystem is None:
        return None
    _, separator = _KINDS[ecosystem]
    return ecosystem, f"{purl.namespace}{separator}{purl.name}" if purl.namespace and separator else purl.name


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
_ECOSYSTEMS = {kind: ecosystem for ecosystem, (kind, _) in _KINDS.items() if ecosystem != WITHOUT_ADVISORIES}
