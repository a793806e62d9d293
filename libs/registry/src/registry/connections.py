"""Exchanges over HTTP: TLS by the rules of the registry that is meant, and redirects to its own hosts alone."""

import io
from collections.abc import Mapping, Sequence
from typing import Final

import aiohttp
from yarl import URL

from registry.errors import RedirectRefused, RegistryAnswerInvalid
from registry.settings import RegistrySettings

_MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_CONNECTIONS: Final = 64
"""To one host. There is no bound for all together: a registry that hangs would keep us from the others."""
_HTTPS: Final = 443
_WIRE_HOSTS: Final = {"docker.io": "registry-1.docker.io"}


def wire_url(settings: RegistrySettings, path: str) -> URL:
    """The URL of a path, which begins with a slash, at a registry itself."""
    wire = _WIRE_HOSTS.get(settings.host, settings.host)
    # Joined as text: joined as URLs, a path of a registry's Link or Location, `//elsewhere/…`, would be another host.
    return URL(f"{'http' if settings.plain_http else 'https'}://{wire}/{path.removeprefix('/')}")


def parse_url(text: str, host: str) -> URL:
    """Read a URL that a registry gave us. Raises RegistryAnswerInvalid."""
    try:
        return URL(text)
    except ValueError:
        raise RegistryAnswerInvalid(f"The registry {host} sends us to {text[:200]!a}, which is no URL.") from None


def authority(url: URL) -> str:
    """The host of a URL as settings name it: with its port, unless it is that of HTTPS."""
    host, port = url.host_subcomponent or "", url.explicit_port
    return f"{host}:{port}" if port and port != _HTTPS else host


def has_userinfo(url: URL) -> bool:
    """Whether a URL brings a name or password along, which aiohttp would send."""
    return url.user is not None or url.password is not None


class Connections:
    """One pool of connections for every registry."""

    def __init__(self, registries: Sequence[RegistrySettings]) -> None:
        self._tls = {registry.host: True if registry.plain_http else registry.tls() for registry in registries}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        settings: RegistrySettings,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> aiohttp.ClientResponse:
        """Send one request. Raises what aiohttp raises."""
        return await self._opened().request(
            method,
            url,
            headers=headers,
            data=io.BytesIO(body) if body else None,  # sent in pieces; a large one as a whole would stop the loop
            allow_redirects=False,
            ssl=self._tls[settings.host],
            timeout=aiohttp.ClientTimeout(sock_connect=settings.timeout, sock_read=settings.timeout),
        )

    async def follow(
        self, settings: RegistrySettings, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request, and again to where it is redirected. Raises RedirectRefused, and what aiohttp raises."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self.send(settings, method, url, headers, body)
            if answer.status not in _REDIRECTS:
                return answer
            answer.close()
            if method not in {"GET", "HEAD"}:
                raise RedirectRefused(f"The registry {settings.host} redirects what is to be stored elsewhere.")
            target = _redirected(settings, url, answer.headers.get("Location", ""))
            if authority(target) != authority(url):
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            url = target
        raise RedirectRefused(f"The registry {settings.host} redirects more than {_MOST_REDIRECTS} times.")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=_MOST_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Digests are of bytes as they are stored: nothing may be packed on its way, nor is it unpacked.
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session


def _redirected(settings: RegistrySettings, source: URL, location: str) -> URL:
    target = source.join(parse_url(location, settings.host))
    own = {settings.host, authority(wire_url(settings, "/")), *settings.redirect_hosts}
    downgraded = source.scheme == "https" and target.scheme != "https"
    if target.scheme not in {"http", "https"} or downgraded or has_userinfo(target) or authority(target) not in own:
        raise RedirectRefused(
            f"The registry {settings.host} redirects to {target.scheme}://{authority(target)[:200]}, not allowed:"
            " add the host to `redirect_hosts` of this registry if it is right."
        )
    return target
