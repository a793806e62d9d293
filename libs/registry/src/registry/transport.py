"""Requests to registries: configured hosts alone, with what each demands to let us in, and always within a deadline."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from yarl import URL

from registry.connections import Connections, wire_url
from registry.errors import HostNotConfigured, RegistryUnauthorized, RegistryUnavailable
from registry.settings import RegistrySettings
from registry.tokens import Tokens

_BUSY: Final = frozenset({429, 502, 503, 504})
_UNAUTHORIZED: Final = 401
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 10.0
_LONGEST_TOLD: Final = 3600.0


class Transport:
    """Sends requests to every configured registry."""

    def __init__(self, registries: Sequence[RegistrySettings]) -> None:
        self._registries = {registry.host: registry for registry in registries}
        self._connections = Connections(registries)
        self._tokens = Tokens(self._connections)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def settings(self, host: str) -> RegistrySettings:
        """The settings of a registry. Raises HostNotConfigured."""
        found = self._registries.get(host)
        if found is None:
            raise HostNotConfigured(f"The registry {host!r} is not configured; nothing is fetched from it.")
        return found

    @asynccontextmanager
    async def deadline(self, host: str, times: int = 1) -> AsyncIterator[None]:
        """Let what is done inside take the registry's deadline, `times` over. Raises RegistryUnavailable after it."""
        seconds = self.settings(host).deadline * times
        try:
            async with asyncio.timeout(seconds) as limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise RegistryUnavailable(f"The registry {host} needs more than {seconds:g} s, its deadline.") from None

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

        The head of the answer comes within the deadline; its body may take longer.
        Raises HostNotConfigured, RegistryUnauthorized, RegistryUnavailable, RegistryAnswerInvalid, RedirectRefused.
        """
        settings = self.settings(host)
        try:
            async with self.deadline(host):
                answer = await self._answered(
                    settings, method, wire_url(settings, path), dict(headers or {}), body, scope
                )
        except aiohttp.ClientConnectorCertificateError as error:
            raise RegistryUnavailable(f"The certificate of {error.host} is not trusted: {_why(error)}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RegistryUnavailable(f"The registry {host} does not answer: {_trouble(error)}.") from error
        try:
            yield answer
        except (aiohttp.ClientError, OSError) as error:
            raise RegistryUnavailable(f"The registry {host} broke off its answer: {_trouble(error)}.") from error
        finally:
            answer.close()

    async def _answered(
        self, settings: RegistrySettings, method: str, url: URL, headers: dict[str, str], body: bytes | None, scope: str
    ) -> aiohttp.ClientResponse:
        for attempt in range(settings.retries + 1):
            answer = await self._authorized(settings, method, url, headers, body, scope)
            if answer.status not in _BUSY:
                return answer
            answer.close()
            told = _told(answer)
            if attempt == settings.retries or (told or 0) > _LONGEST_WAIT:
                break
            await asyncio.sleep(_FIRST_WAIT * 2**attempt if told is None else told)
        raise RegistryUnavailable(
            f"The registry {settings.host} is too busy: it answers {answer.status}.", retry_after=told
        )

    async def _authorized(
        self, settings: RegistrySettings, method: str, url: URL, headers: dict[str, str], body: bytes | None, scope: str
    ) -> aiohttp.ClientResponse:
        kept = self._tokens.kept(settings.host, scope)
        given = {"Authorization": kept} if kept else {}
        answer = await self._connections.follow(settings, method, url, headers | given, body)
        if answer.status != _UNAUTHORIZED:
            return answer
        answer.close()
        demanded = answer.headers.getall("WWW-Authenticate", [])
        given = {"Authorization": await self._tokens.meet(settings, demanded, scope, kept)}
        answer = await self._connections.follow(settings, method, url, headers | given, body)
        if answer.status == _UNAUTHORIZED:
            answer.close()
            raise RegistryUnauthorized(f"The registry {settings.host} does not accept our credentials for this.")
        return answer


def _told(answer: aiohttp.ClientResponse) -> float | None:
    """How many seconds the registry asks us to wait, if it does; an hour stands for more than that."""
    told = answer.headers.get("Retry-After", "")
    return min(float(told), _LONGEST_TOLD) if told.isdecimal() and told.isascii() else None


def _why(error: aiohttp.ClientConnectorCertificateError) -> str:
    problem = error.certificate_error
    return str(getattr(problem, "verify_message", type(problem).__name__))


def _trouble(error: Exception) -> str:
    """What went wrong, in the system's own words where it has some, which name no address or path."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, socket.gaierror):
        return "its name is not known"
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else type(error).__name__
