"""A registry in this process, over real HTTP on loopback: enough of the distribution API, and faults on demand."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


def digest_of(data: bytes) -> str:
    """The digest of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class FakeRegistry:
    """Holds blobs, manifests and tags in memory. `faults` answer in place of the registry, by method and path."""

    def __init__(self, *, referrers: bool = True) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.tags: dict[tuple[str, str], str] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        self.requests: list[web.Request] = []
        self.host = ""
        self._referrers = referrers
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=1 << 28)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def put_blob(self, repository: str, data: bytes) -> str:
        """Hold a blob."""
        self.blobs[repository, digest_of(data)] = data
        return digest_of(data)

    def put_manifest(self, repository: str, media_type: str, body: bytes, tag: str = "") -> str:
        """Hold a manifest, and point a tag at it."""
        self.manifests[repository, digest_of(body)] = (media_type, body)
        if tag:
            self.tags[repository, tag] = digest_of(body)
        return digest_of(body)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        fault = self.faults.get((request.method, request.path))
        if fault is not None:
            return await fault(request)
        if request.path == "/v2/_catalog":
            return web.json_response({"repositories": sorted({name for name, _ in self.manifests})})
        repository, _, rest = request.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = repository.rpartition("/")
        if request.path.endswith("/blobs/uploads/"):
            return web.Response(status=202, headers={"Location": request.path + "upload?state=1"})
        if kind == "uploads":
            return await self._finish(request, repository.removesuffix("/blobs"))
        if kind == "manifests" and request.method == "PUT":
            return await self._store(request, repository, rest)
        return self._found(request, repository, kind, rest)

    def _found(self, request: web.Request, repository: str, kind: str, rest: str) -> web.Response:
        if kind == "blobs" and (repository, rest) in self.blobs:
            return web.Response(body=self.blobs[repository, rest])
        if kind == "tags":
            tags = sorted(tag for name, tag in self.tags if name == repository)
            return self._page(request, repository, tags) if tags else web.Response(status=404)
        if kind == "referrers" and self._referrers:
            return self._index(repository, rest)
        held = self.manifests.get((repository, self.tags.get((repository, rest), rest)))
        if kind != "manifests" or held is None:
            return web.Response(status=404)
        return web.Response(
            body=held[1], headers={"Content-Type": held[0], "Docker-Content-Digest": digest_of(held[1])}
        )

    def _page(self, request: web.Request, repository: str, tags: list[str]) -> web.Response:
        start, size = int(request.query.get("start", "0")), 2
        headers = {}
        if start + size < len(tags):
            headers["Link"] = f'</v2/{repository}/tags/list?start={start + size}>; rel="next"'
        return web.json_response({"name": repository, "tags": tags[start : start + size]}, headers=headers)

    def _index(self, repository: str, digest: str) -> web.Response:
        entries = []
        for (name, own), (media_type, body) in self.manifests.items():
            subject = json.loads(body).get("subject") or {}
            if name == repository and subject.get("digest") == digest:
                entries.append({"mediaType": media_type, "digest": own, "size": len(body)})
        media_type = "application/vnd.oci.image.index.v1+json"
        return web.json_response({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})

    async def _store(self, request: web.Request, repository: str, rest: str) -> web.Response:
        body = await request.read()
        tag = "" if rest.startswith("sha256:") else rest
        self.put_manifest(repository, request.content_type, body, tag)
        subject = json.loads(body).get("subject") if self._referrers else None
        return web.Response(status=201, headers={"OCI-Subject": subject["digest"]} if subject else {})

    async def _finish(self, request: web.Request, repository: str) -> web.Response:
        data = await request.read()
        if request.query["digest"] != digest_of(data):
            return web.Response(status=400)
        self.put_blob(repository, data)
        return web.Response(status=201)


async def hang(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def status(code: int, **headers: str) -> Fault:
    """Answer with a status alone."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer
