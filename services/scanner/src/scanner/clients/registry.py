"""Registries, through the registry library's client."""

from collections.abc import AsyncIterator, Sequence

from registry.client import RegistryClient
from registry.digests import parse_digest
from registry.manifests import Descriptor, ImageManifest, Index, InvalidManifest, UnsupportedManifest, parse_manifest


class ClientRegistry:
    """Implements the port Registry."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    def demand_configured(self, host: str) -> None:
        """Raise HostNotConfigured where this host is none that may be contacted."""
        self._client.demand_configured(host)

    async def resolve(self, repository: str, tag: str) -> str:
        """Return the digest that a tag points at."""
        return await self._client.resolve_tag(*_split(repository), tag)

    async def tagged(self, repository: str, tag: str) -> tuple[str, ImageManifest | Index | None]:
        """Return what a tag points at, and its digest; None where it is of a kind that is not read."""
        fetched = await self._client.get_manifest(*_split(repository), tag)
        try:
            return fetched.digest, parse_manifest(fetched.media_type, fetched.body)
        except (InvalidManifest, UnsupportedManifest):
            return fetched.digest, None

    async def manifest(self, repository: str, digest: str) -> ImageManifest | Index:
        """Fetch a manifest or index, verified."""
        fetched = await self._client.get_manifest(*_split(repository), parse_digest(digest))
        return parse_manifest(fetched.media_type, fetched.body)

    async def blob(self, repository: str, digest: str, size: int) -> bytes:
        """Fetch a small blob of at most this size in bytes, verified."""
        return await self._client.read_blob(*_split(repository), parse_digest(digest), size)

    def stream(self, repository: str, digest: str, size: int) -> AsyncIterator[bytes]:
        """Stream a blob of at most this size in bytes. It is verified when it ends, not before."""
        return self._client.stream_blob(*_split(repository), parse_digest(digest), size)

    async def referrers(self, repository: str, digest: str) -> Sequence[Descriptor]:
        """Return what refers to a manifest."""
        return await self._client.list_referrers(*_split(repository), parse_digest(digest))

    async def tags(self, repository: str) -> Sequence[str]:
        """Return every tag of a repository."""
        return await self._client.list_tags(*_split(repository))

    async def repositories(self, host: str) -> Sequence[str]:
        """Return every repository of a registry, without the host."""
        return await self._client.list_repositories(host)


def _split(repository: str) -> tuple[str, str]:
    host, _, path = repository.partition("/")
    return host, path
