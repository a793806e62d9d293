"""What a developer, and an attacker, push."""

import asyncio

from registry.client import RegistryClient
from registry.digests import Digest
from registry.manifests import ImageManifest, parse_manifest
from registry.settings import RegistrySettings

from deploy.local.demo.commands import Unexpected
from deploy.local.demo.layers import MANIFEST, Image
from deploy.local.demo.registries import Registry

LARGEST_BLOB = 1 << 20


def push(registry: Registry, repository: str, tag: str, image: Image) -> str:
    """Push an image under a tag; gives its reference, `host/repository@digest`."""
    asyncio.run(_push(registry.host, repository, tag, image))
    registry.pushed(repository, image.digest, tag, MANIFEST)
    return f"{registry.host}/{repository}@{image.digest}"


def copy_signature(registry: Registry, source: str, digest: str, target: str, target_digest: str) -> None:
    """Copy the signature of an image in one repository to the place of another image's."""
    asyncio.run(_copy_signature(registry.host, source, digest, target, target_digest))


async def _push(host: str, repository: str, tag: str, image: Image) -> None:
    client = _client(host)
    try:
        for blob in (*(layer.blob for layer in image.layers), image.config):
            await client.push_blob(host, repository, blob)
        await client.put_manifest(host, repository, tag, MANIFEST, image.manifest)
    finally:
        await client.close()


async def _copy_signature(host: str, source: str, digest: str, target: str, target_digest: str) -> None:
    client = _client(host)
    try:
        signature = await client.get_manifest(host, source, _tag(digest))
        parsed = parse_manifest(signature.media_type, signature.body)
        if not isinstance(parsed, ImageManifest):
            raise Unexpected(f"What stands at {_tag(digest)} is no signature.")
        for descriptor in (*parsed.layers, parsed.config):
            await client.push_blob(
                host, target, await client.read_blob(host, source, Digest(descriptor.digest), LARGEST_BLOB)
            )
        await client.put_manifest(host, target, _tag(target_digest), signature.media_type, signature.body)
    finally:
        await client.close()


def _client(host: str) -> RegistryClient:
    return RegistryClient([RegistrySettings(host=host, plain_http=True)])


def _tag(digest: str) -> str:
    """Where cosign keeps the signature of an image."""
    return f"{digest.replace(':', '-')}.sig"
