"""The OCI distribution API, as far as Hallmark needs it. Every byte that is given out has the digest it was asked by.

Each call ends within the deadline in the registry's settings, whatever the registry does; a blob that is streamed, and
lists of tags and repositories, take longer, as RegistrySettings says. Source: OCI distribution specification 1.1.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import msgspec

from registry.answers import ACCEPTED as STARTED
from registry.answers import CREATED, OK, demand_found, demand_stored
from registry.bodies import pieces, read_bounded
from registry.connections import parse_url
from registry.digests import Digest, sha256_of
from registry.errors import BlobNotFound, BodyTooLarge, DigestMismatch, ManifestNotFound, RegistryAnswerInvalid
from registry.manifests import ACCEPTED, LARGEST, OCI_INDEX, Descriptor, Index, parse_manifest
from registry.pages import Pages
from registry.references import is_repository, is_tag
from registry.settings import RegistrySettings
from registry.transport import Transport

PAGE: Final = 1000
"""Names that are asked for at once; a registry may give fewer."""
_MOST_PAGES: Final = 1000
_MOST_NAMES: Final = 100_000
_MOST_REFERRER_PAGES: Final = 20
_LIST_DEADLINES: Final = 10
_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest as it was received; `digest` is that of its bytes."""

    digest: Digest
    media_type: str
    body: bytes


class _Page(msgspec.Struct, frozen=True):
    tags: list[str] | None = None
    repositories: list[str] | None = None


class RegistryClient:
    """A client of every configured registry."""

    def __init__(self, registries: Sequence[RegistrySettings]) -> None:
        self._transport = Transport(registries)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    def demand_configured(self, host: str) -> None:
        """Raise HostNotConfigured where this host is none that may be contacted."""
        self._transport.settings(host)

    async def resolve_tag(self, host: str, repository: str, tag: str) -> Digest:
        """The digest that a tag points at now, computed from the manifest's bytes. Raises ManifestNotFound."""
        return (await self.get_manifest(host, repository, tag)).digest

    async def get_manifest(self, host: str, repository: str, reference: Digest | str) -> Fetched:
        """Fetch a manifest by digest or tag. Raises ManifestNotFound, DigestMismatch, BodyTooLarge."""
        path = _manifest_path(repository, reference)
        async with (
            self._transport.deadline(host),
            self._transport.request(host, "GET", path, headers=_ACCEPT, scope=_pull(repository)) as answer,
        ):
            demand_found(answer, host, ManifestNotFound(f"{host}/{repository} has no manifest {reference}."))
            body = await read_bounded(answer, LARGEST, self._patience(host))
            media_type = _media_type(answer.headers)
            claimed = answer.headers.get("Docker-Content-Digest")
        digest = sha256_of(body)
        asked = reference if reference.startswith("sha256:") else claimed or digest
        if digest != asked:
            raise DigestMismatch(f"{host} sent a manifest with the digest {digest} where {asked[:100]!a} was due.")
        return Fetched(digest, media_type, body)

    async def stream_blob(self, host: str, repository: str, digest: Digest, most: int) -> AsyncIterator[bytes]:
        """Give a blob's bytes as they come. What was given counts only once the iterator has ended without raising.

        Raises BlobNotFound, BodyTooLarge (more than `most` bytes), DigestMismatch (altered), RegistryUnavailable
        (truncated, or slower than anybody would wait for).
        """
        path = f"/v2/{repository}/blobs/{digest}"
        async with self._transport.request(host, "GET", path, scope=_pull(repository)) as answer:
            demand_found(answer, host, BlobNotFound(f"{host}/{repository} has no blob {digest}."))
            seen, size = hashlib.sha256(), 0
            async for chunk in pieces(answer, self._patience(host)):
                size += len(chunk)
                if size > most:
                    raise BodyTooLarge(f"The blob {digest} has more than the {most} bytes that are read here.")
                seen.update(chunk)
                yield chunk
        if f"sha256:{seen.hexdigest()}" != digest:
            raise DigestMismatch(f"{host} sent bytes that are not those of {digest} ({size} bytes).")

    async def read_blob(self, host: str, repository: str, digest: Digest, most: int) -> bytes:
        """Fetch a whole blob of at most `most` bytes; raises what stream_blob raises."""
        async with self._transport.deadline(host):
            return b"".join([chunk async for chunk in self.stream_blob(host, repository, digest, most)])

    async def push_blob(self, host: str, repository: str, data: bytes) -> Digest:
        """Store a blob, unless the registry has it; return its digest.

        Raises RegistryUnauthorized, RepositoryNotFound, PushTooLarge, PushRefused.
        """
        digest, path = sha256_of(data), f"/v2/{repository}/blobs"
        async with self._transport.deadline(host):
            async with self._transport.request(host, "HEAD", f"{path}/{digest}", scope=_push(repository)) as answer:
                if answer.status == OK:
                    return digest
            location = await self._store(host, repository, "POST", f"{path}/uploads/", STARTED)
            path = _upload_path(location.get("Location", ""), host, digest)
            octets = {"Content-Type": "application/octet-stream"}
            await self._store(host, repository, "PUT", path, CREATED, headers=octets, body=data)
        return digest

    async def put_manifest(
        self, host: str, repository: str, reference: Digest | str, media_type: str, body: bytes
    ) -> bool:
        """Store a manifest under a tag or its digest; tell whether the registry lists it as a referrer itself.

        Raises RegistryUnauthorized, RepositoryNotFound, PushTooLarge, PushRefused.
        """
        path = _manifest_path(repository, reference)
        async with self._transport.deadline(host):
            answered = await self._store(
                host, repository, "PUT", path, CREATED, headers={"Content-Type": media_type}, body=body
            )
        return "OCI-Subject" in answered

    async def list_tags(self, host: str, repository: str) -> list[str]:
        """Every tag of a repository. Raises ManifestNotFound where the registry does not know the repository."""
        absent = ManifestNotFound(f"{host} has no repository {repository}.")
        return await self._listed(host, f"/v2/{repository}/tags/list?n={PAGE}", _pull(repository), absent, is_tag)

    async def list_repositories(self, host: str) -> list[str]:
        """Every repository that the registry's catalog shows us. Raises ManifestNotFound where it has no catalog."""
        absent = ManifestNotFound(f"{host} offers no catalog of its repositories.")
        return await self._listed(host, f"/v2/_catalog?n={PAGE}", "registry:catalog:*", absent, is_repository)

    async def list_referrers(self, host: str, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        """What refers to a manifest: by the referrers API, or by the fallback tag where the registry lacks it.

        An empty answer means that the registry said so; whatever else is a refusal.
        """
        path, found = f"/v2/{repository}/referrers/{digest}", list[Descriptor]()
        absent = ManifestNotFound(f"{host} has no list of referrers.")
        async with self._transport.deadline(host):
            try:
                async for page in Pages(self._transport, _MOST_REFERRER_PAGES).read(
                    host, path, _pull(repository), absent
                ):
                    found += _entries(page)
            except ManifestNotFound:
                return await self._fallback(host, repository, digest)
        return tuple(found)

    async def _fallback(self, host: str, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        try:
            fallback = await self.get_manifest(host, repository, digest.replace(":", "-"))
        except ManifestNotFound:
            return ()
        manifest = parse_manifest(fallback.media_type, fallback.body)
        # `cosign copy` leaves the image itself at this tag, where the registry keeps no list then.
        return manifest.manifests if isinstance(manifest, Index) else ()

    async def _listed(
        self, host: str, path: str, scope: str, absent: ManifestNotFound, can_be_referred_to: Callable[[str], bool]
    ) -> list[str]:
        """Every name but those that no reference can have, which nobody could ask for or run."""
        names = list[str]()
        async with self._transport.deadline(host, _LIST_DEADLINES):
            async for page in Pages(self._transport, _MOST_PAGES).read(host, path, scope, absent):
                names += filter(can_be_referred_to, _names(page, host))
                if len(names) > _MOST_NAMES:
                    raise BodyTooLarge(f"{host} lists more than the {_MOST_NAMES} names that are read here: {path}")
        return names

    async def _store(
        self,
        host: str,
        repository: str,
        method: str,
        path: str,
        due: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Mapping[str, str]:
        """Send what stores something; return the headers of the answer."""
        async with self._transport.request(
            host, method, path, headers=headers, body=body, scope=_push(repository)
        ) as answer:
            await demand_stored(answer, host, repository, due, self._patience(host))
            return answer.headers

    def _patience(self, host: str) -> float:
        return self._transport.settings(host).timeout


def _manifest_path(repository: str, reference: Digest | str) -> str:
    return f"/v2/{repository}/manifests/{quote(reference, safe=':')}"


def _media_type(headers: Mapping[str, str]) -> str:
    """The type that is claimed; none where what is claimed is no text, but bytes that may not even be shown."""
    claimed = headers.get("Content-Type", "").partition(";")[0].strip()
    return claimed if claimed.isascii() else ""


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _push(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _entries(body: bytes) -> tuple[Descriptor, ...]:
    index = parse_manifest(OCI_INDEX, body)
    if not isinstance(index, Index):
        raise RegistryAnswerInvalid("The list of referrers is no index.")
    return index.manifests


def _names(body: bytes, host: str) -> list[str]:
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RegistryAnswerInvalid(f"The registry {host} answers no list of names.") from None
    return page.tags or page.repositories or []


def _upload_path(location: str, host: str, digest: Digest) -> str:
    """Where an upload is finished. Whatever host the Location names, it is asked of the same registry."""
    url = parse_url(location, host)
    if not url.raw_path.startswith("/"):
        raise RegistryAnswerInvalid(f"The registry {host} does not say where to upload to: {location[:200]!a}.")
    return url.update_query(digest=digest).raw_path_qs
