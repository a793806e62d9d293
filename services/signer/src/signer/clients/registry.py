"""Reads images from registries and writes signatures to them, by the registry library."""

from registry.client import RegistryClient
from registry.digests import Digest
from registry.errors import ManifestNotFound
from registry.manifests import parse_manifest

from signer.envelopes.blobs import Blob
from signer.errors import ImageNotFound
from signer.images import Manifest


class Registries:
    """Implements the ports ImageRegistry and Registry. `repository` is `host/repository`."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    async def resolve(self, repository: str, tag: str) -> Digest:
        """Return the digest that a tag points at now. Raises ImageNotFound."""
        try:
            return await self._client.resolve_tag(*_split(repository), tag)
        except ManifestNotFound as refusal:
            raise ImageNotFound(f"There is no {repository}:{tag}.", field="image") from refusal

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Return a manifest, its bytes checked against its digest. Raises ImageNotFound."""
        try:
            fetched = await self._client.get_manifest(*_split(repository), digest)
        except ManifestNotFound as refusal:
            raise ImageNotFound(f"There is no {repository}@{digest}.", field="image") from refusal
        content = parse_manifest(fetched.media_type, fetched.body)
        return Manifest(fetched.digest, content.media_type, len(fetched.body), content)

    async def tagged(self, repository: str, tag: str) -> Blob | None:
        """Return the manifest that a tag points at; None where there is no such tag."""
        try:
            fetched = await self._client.get_manifest(*_split(repository), tag)
        except ManifestNotFound:
            return None
        return Blob(fetched.media_type, fetched.body)

    async def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Say whether a manifest is there."""
        try:
            await self._client.get_manifest(*_split(repository), digest)
        except ManifestNotFound:
            return False
        return True

    async def put_blob(self, repository: str, blob: Blob) -> None:
        """Store a blob that may be there already."""
        await self._client.push_blob(*_split(repository), blob.content)

    async def put_manifest(self, repository: str, manifest: Blob, tag: str | None) -> bool:
        """Store a manifest, at a tag or by its digest. Say whether the registry itself lists it as a referrer."""
        reference = tag or manifest.digest
        return await self._client.put_manifest(*_split(repository), reference, manifest.media_type, manifest.content)


def _split(repository: str) -> tuple[str, str]:
    host, _, path = repository.partition("/")
    return host, path
