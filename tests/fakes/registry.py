"""A registry in this process, over real HTTP on loopback: enough of the distribution API, and faults on demand."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.token_server import TokenServer

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


def digest_of(data: bytes) -> str:
    """The digest of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class FakeRegistry:
    """Holds blobs, manifests and tags in memory. `faults` answer in place of the registry, by method and path.

    Behind `tokens`, it lets nobody in without one; with `tls`, it speaks HTTPS. `always` answers whatever is asked.
    """

    def __init__(
        self, *, referrers: bool = True, tokens: TokenServer | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.tags: dict[tuple[str, str], str] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        self.always: Fault | None = None
        self.requests: list[web.Request] = []
        self.host = ""
        self._referrers = referrers
        self._tokens = tokens
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=1 << 28)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
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
        fault = self.always or self.faults.get((request.method, request.path))
        if fault is not None:
            return await fault(request)
        if self._tokens is not None and (refused := await self._tokens.answer(request)) is not None:
            return refused
        return await self._served(request)

    async def _served(self, request: web.Request) -> web.StreamResponse:
        repository, _, rest = request.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = repository.rpartition("/")
        if request.method in {"GET", "HEAD"}:
            return self._found(request, repository, kind, rest)
        if request.path.endswith("/blobs/uploads/"):
            return self._begin(request, repository.removesuffix("/blobs"))
        if kind == "uploads":
            return await self._finish(request, repository.removesuffix("/blobs"))
        return (
            await self._store(request, repository, rest) if request.method == "PUT" else self._delete(repository, rest)
        )

    def _found(self, request: web.Request, repository: str, kind: str, rest: str) -> web.Response:
        if request.path == "/v2/_catalog":
            return _page(request, "repositories", sorted({name for name, _ in self.manifests}))
        if kind == "blobs" and (repository, rest) in self.blobs:
            return web.Response(body=self.blobs[repository, rest])
        if kind == "tags":
            tags = sorted(tag for name, tag in self.tags if name == repository)
            return _page(request, "tags", tags) if tags else web.Response(status=404)
        if kind == "referrers" and self._referrers:
            return self._index(repository, rest)
        held = self.manifests.get((repository, self.tags.get((repository, rest), rest)))
        if kind != "manifests" or held is None:
            return web.Response(status=404)
        return web.Response(
            body=held[1], headers={"Content-Type": held[0], "Docker-Content-Digest": digest_of(held[1])}
        )

    def _index(self, repository: str, digest: str) -> web.Response:
        entries = []
        for (name, own), (media_type, body) in self.manifests.items():
            content = json.loads(body)
            subject = content.get("subject") or {}
            if name == repository and subject.get("digest") == digest:
                told = {name: content[name] for name in ("artifactType", "annotations") if name in content}
                entries.append({"mediaType": media_type, "digest": own, "size": len(body), **told})
        media_type = "application/vnd.oci.image.index.v1+json"
        return web.json_response({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})

    async def _store(self, request: web.Request, repository: str, rest: str) -> web.Response:
        body = await request.read()
        problem = self._problem(repository, rest, body)
        if problem:
            return _error(400, problem)
        tag = "" if rest.startswith("sha256:") else rest
        self.put_manifest(repository, request.content_type, body, tag)
        subject = json.loads(body).get("subject") if self._referrers else None
        return web.Response(status=201, headers={"OCI-Subject": subject["digest"]} if subject else {})

    def _problem(self, repository: str, reference: str, body: bytes) -> str:
        """The code of what is wrong with a manifest; empty where nothing is."""
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return "MANIFEST_INVALID"
        if reference.startswith("sha256:") and reference != digest_of(body):
            return "DIGEST_INVALID"
        blobs = [*content.get("layers", ()), *([content["config"]] if "config" in content else ())]
        absent = [one for one in blobs if (repository, one["digest"]) not in self.blobs]
        absent += [one for one in content.get("manifests", ()) if (repository, one["digest"]) not in self.manifests]
        return "MANIFEST_BLOB_UNKNOWN" if absent else ""

    def _delete(self, repository: str, digest: str) -> web.Response:
        if self.manifests.pop((repository, digest), None) is None:
            return _error(404, "MANIFEST_UNKNOWN")
        self.tags = {key: held for key, held in self.tags.items() if (key[0], held) != (repository, digest)}
        return web.Response(status=202)

    def _begin(self, request: web.Request, repository: str) -> web.Response:
        wanted = request.query.get("mount", ""), request.query.get("from", "")
        if wanted[::-1] in self.blobs:
            self.put_blob(repository, self.blobs[wanted[::-1]])
            return web.Response(status=201, headers={"Location": f"/v2/{repository}/blobs/{wanted[0]}"})
        return web.Response(status=202, headers={"Location": request.path + "upload?state=1"})

    async def _finish(self, request: web.Request, repository: str) -> web.Response:
        data = await request.read()
        if request.query["digest"] != digest_of(data):
            return _error(400, "DIGEST_INVALID")
        self.put_blob(repository, data)
        return web.Response(status=201)


def _page(request: web.Request, kind: str, names: list[str]) -> web.Response:
    """The names after `last`, `n` at most."""
    last, size = request.query.get("last", ""), int(request.query.get("n", "100"))
    rest = [name for name in names if name > last]
    headers = {}
    if size < len(rest):
        headers["Link"] = f'<{request.path}?last={rest[size - 1]}&n={size}>; rel="next"'
    return web.json_response({kind: rest[:size]}, headers=headers)


def _error(status_code: int, code: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": "in words"}]}, status=status_code)


async def hang(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def status(code: int, **headers: str) -> Fault:
    """Answer with a status alone."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer
