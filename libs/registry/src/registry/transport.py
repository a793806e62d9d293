"""HTTP towards registries: configured hosts alone, bounded, and each credential for its own host alone."""

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
import msgspec

from registry.authentication import Token, demand_realm, parse_challenge
from registry.credentials import credential
from registry.errors import (
    BodyTooLarge,
    HostNotConfigured,
    RedirectRefused,
    RegistryAnswerInvalid,
    RegistryUnauthorized,
    RegistryUnavailable,
)
from registry.settings import RegistrySettings

_MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BUSY: Final = frozenset({429, 502, 503, 504})
_UNAUTHORIZED: Final = 401
_LARGEST_TOKEN: Final = 1 << 16
_LONGEST_WAIT: Final = 10.0
_PIECE: Final = 1 << 18
_SLOWEST: Final = 1 << 14  # bytes a second
_WIRE_HOSTS: Final = {"docker.io": "registry-1.docker.io"}


class Transport:
    """One connection pool for every registry."""

    def __init__(self, registries: Sequence[RegistrySettings]) -> None:
        self._registries = {registry.host: registry for registry in registries}
        self._tls = {registry.host: _tls(registry) for registry in registries}
        self._tokens: dict[tuple[str, str], str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def request(
        self,
        host: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        scope: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and give its answer, whatever its status but 401 and those that say busy.

        Raises HostNotConfigured, RegistryUnauthorized, RegistryUnavailable, RedirectRefused.
        """
        settings = self.settings(host)
        wire = _WIRE_HOSTS.get(host, host)
        # Joined as text: urljoin would take a path of a registry's Link or Location, `//elsewhere/…`, for another host.
        url = f"{'http' if settings.plain_http else 'https'}://{wire}/{path.removeprefix('/')}"
        try:
            answer = await self._answered(settings, method, url, dict(headers or {}), body, scope)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RegistryUnavailable(f"The registry {host} does not answer: {type(error).__name__}.") from error
        try:
            yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RegistryUnavailable(f"The registry {host} broke off its answer: {type(error).__name__}.") from error
        finally:
            answer.close()

    def settings(self, host: str) -> RegistrySettings:
        """The settings of a registry. Raises HostNotConfigured."""
        found = self._registries.get(host)
        if found is None:
            raise HostNotConfigured(f"The registry {host!r} is not configured; nothing is fetched from it.")
        return found

    async def _answered(
        self, settings: RegistrySettings, method: str, url: str, headers: dict[str, str], body: bytes | None, scope: str
    ) -> aiohttp.ClientResponse:
        for attempt in range(settings.retries + 1):
            answer = await self._authorized(settings, method, url, headers, body, scope)
            if answer.status not in _BUSY:
                return answer
            answer.close()
            if attempt < settings.retries:
                await asyncio.sleep(_wait(answer, attempt))
        raise RegistryUnavailable(f"The registry {settings.host} is too busy: it answers {answer.status}.")

    async def _authorized(
        self, settings: RegistrySettings, method: str, url: str, headers: dict[str, str], body: bytes | None, scope: str
    ) -> aiohttp.ClientResponse:
        kept = self._tokens.get((settings.host, scope))
        answer = await self._followed(settings, method, url, headers | _authorization(kept), body)
        if answer.status != _UNAUTHORIZED:
            return answer
        demanded = answer.headers.get("WWW-Authenticate", "")
        answer.close()
        given = await self._authorization(settings, demanded, scope)
        self._tokens[settings.host, scope] = given
        answer = await self._followed(settings, method, url, headers | _authorization(given), body)
        if answer.status == _UNAUTHORIZED:
            answer.close()
            raise RegistryUnauthorized(f"The registry {settings.host} does not accept our credentials for this.")
        return answer

    async def _authorization(self, settings: RegistrySettings, demanded: str, scope: str) -> str:
        challenge, known = parse_challenge(demanded), await credential(settings)
        own = known.basic() if known else None
        if challenge.scheme == "basic":
            if own is None:
                raise RegistryUnauthorized(f"The registry {settings.host} demands credentials; none are configured.")
            return own
        realm = challenge.parameters.get("realm", "")
        demand_realm(settings, realm)
        asked = {"service": challenge.parameters.get("service", ""), "scope": scope}
        url = f"{realm}?{urlencode({name: value for name, value in asked.items() if value})}"
        answer = await self._send(settings, "GET", url, _authorization(own), None)
        async with answer:
            if answer.status in {_UNAUTHORIZED, 403}:
                raise RegistryUnauthorized(f"The token endpoint of {settings.host} does not accept our credentials.")
            return "Bearer " + await self._token(settings, answer)

    async def _token(self, settings: RegistrySettings, answer: aiohttp.ClientResponse) -> str:
        content = await read_bounded(answer, _LARGEST_TOKEN, settings.timeout)
        try:
            token = msgspec.json.decode(content, type=Token)
        except msgspec.MsgspecError:
            raise RegistryAnswerInvalid(f"The token endpoint of {settings.host} answers no token.") from None
        given = token.token or token.access_token
        if not given or not given.isascii() or not given.isprintable():
            raise RegistryAnswerInvalid(f"The token endpoint of {settings.host} answers no token.")
        return given

    async def _followed(
        self, settings: RegistrySettings, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self._send(settings, method, url, headers, body)
            if answer.status not in _REDIRECTS or method not in {"GET", "HEAD"}:
                return answer
            answer.close()
            target = urljoin(url, answer.headers.get("Location", ""))
            self._demand_redirect(settings, url, target)
            if urlsplit(target).netloc != urlsplit(url).netloc:
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            url = target
        raise RedirectRefused(f"The registry {settings.host} redirects more than {_MOST_REDIRECTS} times.")

    def _demand_redirect(self, settings: RegistrySettings, source: str, target: str) -> None:
        before, after = urlsplit(source), urlsplit(target)
        allowed = {settings.host, before.netloc, *settings.redirect_hosts}
        downgraded = before.scheme == "https" and after.scheme != "https"
        if after.scheme not in {"http", "https"} or downgraded or after.netloc.lower() not in allowed:
            raise RedirectRefused(
                f"The registry {settings.host} redirects to {after.scheme}://{after.netloc[:200]}, not allowed:"
                " add the host to `redirect_hosts` of this registry if it is right."
            )

    async def _send(
        self, settings: RegistrySettings, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        return await self._session.request(
            method,
            url,
            headers=headers,
            data=io.BytesIO(body) if body else None,  # sent in pieces; a large one as a whole would stop the loop
            allow_redirects=False,
            ssl=self._tls[settings.host],
            timeout=aiohttp.ClientTimeout(sock_connect=settings.timeout, sock_read=settings.timeout),
        )


def _tls(settings: RegistrySettings) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=str(settings.ca)) if settings.ca else True


def _authorization(value: str | None) -> dict[str, str]:
    return {"Authorization": value} if value else {}


def _wait(answer: aiohttp.ClientResponse, attempt: int) -> float:
    told = answer.headers.get("Retry-After", "")
    return min(float(told) if told.isdecimal() and told.isascii() else 0.2 * 2**attempt, _LONGEST_WAIT)


async def pieces(answer: aiohttp.ClientResponse, patience: float) -> AsyncIterator[bytes]:
    """Give a body as it comes. Raises RegistryUnavailable where, `patience` seconds aside, it trickles."""
    clock = asyncio.get_running_loop().time
    started, size = clock(), 0
    async for piece in answer.content.iter_chunked(_PIECE):
        size += len(piece)
        if clock() - started > patience + size / _SLOWEST:
            raise RegistryUnavailable(f"{answer.url.host} sends too slowly: {size} bytes in {clock() - started:.0f} s.")
        yield piece


async def read_bounded(answer: aiohttp.ClientResponse, most: int, patience: float) -> bytes:
    """Read a whole body of at most `most` bytes. Raises BodyTooLarge, and what `pieces` raises."""
    parts, size = [], 0
    async for part in pieces(answer, patience):
        parts.append(part)
        size += len(part)
        if size > most:
            raise BodyTooLarge(f"{answer.url.host} sends more than the {most} bytes that are read here.")
    return b"".join(parts)
