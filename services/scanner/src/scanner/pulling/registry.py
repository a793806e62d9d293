"""The ports to registries and whatever else images are read from."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from registry.manifests import Descriptor, ImageManifest, Index


class Source(Protocol):
    """Where an image is read. `repository` is `host/repository`.

    Each method raises the refusals of registry.errors and registry.manifests, or the scan's failure.
    """

    async def manifest(self, repository: str, digest: str) -> ImageManifest | Index:
        """Fetch a manifest or index, verified."""
        ...

    async def blob(self, repository: str, digest: str, size: int) -> bytes:
        """Fetch a small blob of at most this size in bytes, verified."""
        ...

    def stream(self, repository: str, digest: str, size: int) -> AsyncIterator[bytes]:
        """Stream a blob of at most this size in bytes. It is verified when it ends, not before."""
        ...


class Registry(Source, Protocol):
    """Registries, as far as the scanner needs them."""

    def demand_configured(self, host: str) -> None:
        """Raise HostNotConfigured where this host is none that may be contacted."""
        ...

    async def resolve(self, repository: str, tag: str) -> str:
        """Return the digest that a tag points at."""
        ...

    async def tagged(self, repository: str, tag: str) -> tuple[str, ImageManifest | Index | None]:
        """Return what a tag points at, and its digest; None where it is of a kind that is not read."""
        ...

    async def referrers(self, repository: str, digest: str) -> Sequence[Descriptor]:
        """Return what refers to a manifest."""
        ...

    async def tags(self, repository: str) -> Sequence[str]:
        """Return every tag of a repository."""
        ...

    async def repositories(self, host: str) -> Sequence[str]:
        """Return every repository of a registry, without the host."""
        ...
