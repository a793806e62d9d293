"""The OCI distribution API, as far as Hallmark needs it. Every byte that is given out has the digest it was asked by.

Source: OCI distribution specification 1.1.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
import msgspec
from multidict import CIMultiDictProxy

from registry.digests import Digest, sha256_of
from registry.errors import (
    BlobNotFound,
    BodyTooLarge,
    DigestMismatch,
    ManifestNotFound,
    RegistryAnswerInvalid,
    RegistryUnauthorized,
    RegistryUnavailable,
)
from registry.manifests import ACCEPTED, LARGEST, OCI_INDEX, Descriptor, Index, parse_manifest
from registry.settings import RegistrySettings
from registry.transport import Transport, pieces, read_bounded

_MOST_PAGES: Final = 1000
_MOST_NAMES: Final = 100_000
_MOST_REFERRER_PAGES: Final = 20
_LARGEST_PAGE: Final = 8 << 20
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
        path = f"/v2/{repository}/manifests/{quote(reference, safe=':')}"
        async with self._transport.request(host, "GET", path, headers=_ACCEPT, scope=_pull(repository)) as answer:
            _demand(answer, host, ManifestNotFound(f"{host}/{repository} has no manifest {reference}."))
            body = await read_bounded(answer, LARGEST, self._patience(host))
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            claimed = answer.headers.get("Docker-Content-Digest")
        digest = sha256_of(body)
        asked = reference if reference.startswith("sha256:") else claimed or digest
        if digest != asked:
            raise DigestMismatch(f"{host} sent a manifest with the digest {digest} where {asked[:100]} was due.")
        return Fetched(digest, media_type, body)

    async def stream_blob(self, host: str, repository: str, digest: Digest, most: int) -> AsyncIterator[bytes]:
        """Give a blob's bytes as they come. What was given counts only once the iterator has ended without raising.

        Raises BlobNotFound, BodyTooLarge (more than `most` bytes), DigestMismatch (altered), RegistryUnavailable
        (truncated, or slower than anybody would wait for).
        """
        path = f"/v2/{repository}/blobs/{digest}"
        async with self._transport.request(host, "GET", path, scope=_pull(repository)) as answer:
            _demand(answer, host, BlobNotFound(f"{host}/{repository} has no blob {digest}."))
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
        return b"".join([chunk async for chunk in self.stream_blob(host, repository, digest, most)])

    async def push_blob(self, host: str, repository: str, data: bytes) -> Digest:
        """Store a blob, unless the registry has it; return its digest."""
        digest, scope = sha256_of(data), _push(repository)
        path = f"/v2/{repository}/blobs/{digest}"
        async with self._transport.request(host, "HEAD", path, scope=scope) as answer:
            if answer.status == _OK:
                return digest
        async with self._transport.request(host, "POST", f"/v2/{repository}/blobs/uploads/", scope=scope) as answer:
            _demand_stored(answer, host, _ACCEPTED)
            location = answer.headers.get("Location", "")
        async with self._transport.request(
            host,
            "PUT",
            _upload_path(location, digest),
            headers={"Content-Type": "application/octet-stream"},
            body=data,
            scope=scope,
        ) as answer:
            _demand_stored(answer, host, _CREATED)
        return digest

    async def put_manifest(
        self, host: str, repository: str, reference: Digest | str, media_type: str, body: bytes
    ) -> bool:
        """Store a manifest under a tag or its digest; tell whether the registry lists it as a referrer itself."""
        path = f"/v2/{repository}/manifests/{quote(reference, safe=':')}"
        async with self._transport.request(
            host, "PUT", path, headers={"Content-Type": media_type}, body=body, scope=_push(repository)
        ) as answer:
            _demand_stored(answer, host, _CREATED)
            return "OCI-Subject" in answer.headers

    async def list_tags(self, host: str, repository: str) -> list[str]:
        """Every tag of a repository. Raises ManifestNotFound where the registry does not know the repository."""
        absent = ManifestNotFound(f"{host} has no repository {repository}.")
        return await self._listed(host, f"/v2/{repository}/tags/list?n=1000", _pull(repository), absent)

    async def list_repositories(self, host: str) -> list[str]:
        """Every repository that the registry's catalog shows us. Raises ManifestNotFound where it has no catalog."""
        absent = ManifestNotFound(f"{host} offers no catalog of its repositories.")
        return await self._listed(host, "/v2/_catalog?n=1000", "registry:catalog:*", absent)

    async def _listed(self, host: str, path: str, scope: str, absent: ManifestNotFound) -> list[str]:
        names, seen = list[str](), set[str]()
        while len(seen) < _MOST_PAGES:
            seen.add(path)
            async with self._transport.request(host, "GET", path, scope=scope) as answer:
                _demand(answer, host, absent)
                names += _names(await read_bounded(answer, _LARGEST_PAGE, self._patience(host)), host)
                following = _next(answer.headers)
            if len(names) > _MOST_NAMES:
                break
            if following is None:
                return names
            if following in seen:
                raise RegistryAnswerInvalid(f"The pages of a list of {host} lead in a circle: {following[:200]}")
            path = following
        raise BodyTooLarge(f"{host} lists more than the {_MOST_NAMES} names that are read here: {path[:200]}")

    async def list_referrers(self, host: str, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        """What refers to a manifest: by the referrers API, or by the fallback tag where the registry lacks it.

        An empty answer means that the registry said so; whatever else is a refusal.
        """
        path, found = f"/v2/{repository}/referrers/{digest}", list[Descriptor]()
        for _ in range(_MOST_REFERRER_PAGES):
            async with self._transport.request(host, "GET", path, scope=_pull(repository)) as answer:
                if answer.status == _NOT_FOUND and not found:
                    return await self._fallback(host, repository, digest)
                _demand_stored(answer, host, _OK)
                found += _entries(await read_bounded(answer, LARGEST, self._patience(host)))
                following = _next(answer.headers)
            if following is None:
                return tuple(found)
            path = following
        raise BodyTooLarge(f"{host} lists what refers to {digest} on more than {_MOST_REFERRER_PAGES} pages.")

    async def _fallback(self, host: str, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        try:
            fallback = await self.get_manifest(host, repository, digest.replace(":", "-"))
        except ManifestNotFound:
            return ()
        manifest = parse_manifest(fallback.media_type, fallback.body)
        # `cosign copy` leaves the image itself at this tag, where the registry keeps no list then.
        return manifest.manifests if isinstance(manifest, Index) else ()

    def _patience(self, host: str) -> float:
        return self._transport.settings(host).timeout


_OK: Final = 200
_CREATED: Final = 201
_ACCEPTED: Final = 202
_NOT_FOUND: Final = 404
_DENIED: Final = frozenset({401, 403})


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _push(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _demand(answer: aiohttp.ClientResponse, host: str, absent: ManifestNotFound | BlobNotFound) -> None:
    if answer.status == _NOT_FOUND:
        raise absent
    _demand_stored(answer, host, _OK)


def _demand_stored(answer: aiohttp.ClientResponse, host: str, status: int) -> None:
    if answer.status in _DENIED:
        raise RegistryUnauthorized(f"The registry {host} does not let us do this with the configured credentials.")
    if answer.status != status:
        raise RegistryUnavailable(f"The registry {host} answers {answer.status} where {status} was due.")


def _entries(body: bytes) -> tuple[Descriptor, ...]:
    index = parse_manifest(OCI_INDEX, body)
    if not isinstance(index, Index):
        raise RegistryAnswerInvalid("The list of referrers is no index.")
    return index.manifests


def _names(body: bytes, host: str) -> list[str]:
    try:
        page = msgspec.json.decode(body, type=_Page)
    except msgspec.MsgspecError:
        raise RegistryAnswerInvalid(f"The registry {host} answers no list of names.") from None
    return page.tags or page.repositories or []


def _next(headers: CIMultiDictProxy[str]) -> str | None:
    link = headers.get("Link", "")
    target, found, relation = link.partition(">")
    if not found or 'rel="next"' not in relation:
        return None
    parts = urlsplit(target.strip().removeprefix("<"))
    return f"{parts.path}?{parts.query}"


def _upload_path(location: str, digest: Digest) -> str:
    parts = urlsplit(location)
    query = "".join(f"{quote(name)}={quote(value)}&" for name, value in parse_qsl(parts.query))
    return f"{parts.path}?{query}digest={digest}"
