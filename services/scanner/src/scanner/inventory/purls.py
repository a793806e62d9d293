"""Package URLs of languages. Source: the purl specification's types."""

from packageurl import PackageURL


def purl_of(ecosystem: str, name: str, version: str, arch: str = "") -> str:
    """The package URL of a package by OSV's name of its ecosystem; an empty `version` is left out.

    That of a package of Maven without a group is `generic`, as one of `maven` must have a group.
    """
    kind, separator = _KINDS[ecosystem]
    namespace, _, plain = name.rpartition(separator) if separator else ("", "", name)
    if kind == "maven" and not namespace:
        kind = "generic"
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
}
"""The type of each ecosystem, and what stands in its names between the namespace and the rest."""
