"""Adding what is claimed to what was found."""

from collections.abc import Iterable, Sequence

from scanner.ecosystems import normalise_name
from scanner.inventory.model import Claim, Package


def with_claims(packages: Sequence[Package], claims: Iterable[Claim]) -> tuple[Package, ...]:
    """The packages, every one, and those that are claimed beside them. Of claims of the same, the first counts."""
    found = {_identity(package) for package in packages}
    added: dict[tuple[str, str, str], Package] = {}
    for claim in claims:
        for package in claim.packages:
            if (identity := _identity(package)) not in found:
                added.setdefault(identity, package)
    return (*packages, *added.values())


def _identity(package: Package) -> tuple[str, str, str]:
    return package.ecosystem, normalise_name(package.ecosystem, package.name), package.version
