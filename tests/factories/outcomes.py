"""Packages, inventories and scans of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from scanner.images import ScanOutcome
from scanner.inventory.model import Distribution, Inventory, Package, PlatformInventory

NOW = datetime(2026, 7, 2, 12, tzinfo=UTC)
LAYER = "sha256:" + "a" * 64
REPOSITORY = "reg.example.com/team/app"


def digest_of(name: str) -> str:
    """A digest, the same for the same name."""
    return "sha256:" + sha256(name.encode()).hexdigest()


def python_package(name: str = "demo", version: str = "1.0", path: str = "") -> Package:
    """An installed Python package."""
    installed = path or f"usr/lib/python3/site-packages/{name}-{version}.dist-info/METADATA"
    return Package("PyPI", name, version, "", "", "", f"pkg:pypi/{name}@{version}", LAYER, installed)


def debian_package(
    name: str, version: str, *, source: str = "", source_version: str = "", release: str = "12"
) -> Package:
    """An installed Debian package."""
    return Package(
        ecosystem=f"Debian:{release}",
        name=name,
        version=version,
        arch="amd64",
        source_name=source or name,
        source_version=source_version or version,
        purl=f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-{release}",
        layer=LAYER,
        path="var/lib/dpkg/status",
    )


def debian(release: str = "12") -> Distribution:
    """A Debian."""
    return Distribution("debian", release, f"Debian GNU/Linux {release}", f"Debian:{release}")


def inventory(*packages: Package, **changes: Any) -> Inventory:
    """An inventory of these packages, without a distribution and without gaps."""
    fields: dict[str, Any] = {"distribution": None, "unreadable": (), "gaps": (), "unsupported": None}
    return Inventory(packages=packages, **(fields | changes))


def platform(found: Inventory, name: str = "image", platform_name: str = "linux/amd64") -> PlatformInventory:
    """One platform manifest with this inventory."""
    return PlatformInventory(platform_name, digest_of(name), digest_of(f"{name} config"), (LAYER,), None, found)


def scan_of(
    *platforms: PlatformInventory,
    repository: str = REPOSITORY,
    digest: str = "",
    scan_id: str = "scan-1",
    missing: Sequence[str] = (),
    tag: str | None = None,
    at: datetime = NOW,
) -> ScanOutcome:
    """A scan that found these platforms; of one manifest unless a digest (of an index) is given."""
    return ScanOutcome(repository, digest or platforms[0].manifest_digest, scan_id, platforms, tuple(missing), tag, at)
