"""What we say to be let in: a password itself, or a bearer token that a registry's token endpoint gives for a scope.

Sources: the distribution project's token authentication specification, and its OAuth2 form for identity tokens.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import aiohttp
import msgspec
from yarl import URL

from registry.authentication import Challenge, demand_realm, parse_challenges
from registry.bodies import read_bounded
from registry.connections import Connections
from registry.credentials import Credential, IdentityToken, credential
from registry.errors import RegistryAnswerInvalid, RegistryUnauthorized, RegistryUnavailable
from registry.settings import RegistrySettings

_OK: Final = 200
_REFUSED: Final = frozenset({400, 401, 403})
_LARGEST: Final = 1 << 16
_LONGEST: Final = 1 << 13
_MOST_KEPT: Final = 1024
_CLIENT: Final = "hallmark"


class _Answer(msgspec.Struct, frozen=True):
    """A token endpoint's answer; other members are not read, least of all a new identity token."""

    token: str = ""
    access_token: str = ""


class Tokens:
    """The Authorization headers that registries accepted last, for each registry and scope; the oldest go."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._asking: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def kept(self, host: str, scope: str) -> str | None:
        """What was accepted last; it may have run out meanwhile."""
        if (host, scope) in self._kept:
            self._kept.move_to_end((host, scope))
        return self._kept.get((host, scope))

    async def meet(self, settings: RegistrySettings, demanded: Sequence[str], scope: str, refused: str | None) -> str:
        """Get what WWW-Authenticate headers demand, and keep it; many who ask at once are given the same.

        `refused` is what the registry was shown when it demanded more. Raises RegistryUnauthorized,
        RegistryUnavailable, RegistryAnswerInvalid, and what aiohttp raises.
        """
        which = (settings.host, scope)
        lock = self._asking.setdefault(which, asyncio.Lock())
        async with lock:
            kept = self._kept.get(which)
            if kept is not None and kept != refused:
                return kept  # somebody else got it meanwhile
            given = await self._given(settings, parse_challenges(demanded), scope)
            self._kept[which] = given
            self._kept.move_to_end(which)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return given

    async def _given(self, settings: RegistrySettings, challenge: Challenge, scope: str) -> str:
        known = await credential(settings)
        if challenge.scheme == "basic":
            return _basic(settings, known)
        return "Bearer " + await self._token(settings, challenge, known, scope)

    async def _token(
        self, settings: RegistrySettings, challenge: Challenge, known: Credential | IdentityToken | None, scope: str
    ) -> str:
        realm = demand_realm(settings, challenge.parameters.get("realm", ""))
        asked = {"service": challenge.parameters.get("service", ""), "scope": scope}
        answer = await self._asked(settings, realm, {name: value for name, value in asked.items() if value}, known)
        async with answer:
            if answer.status in _REFUSED:
                raise RegistryUnauthorized(f"The token endpoint of {settings.host} does not accept our credentials.")
            if answer.status != _OK:
                raise RegistryUnavailable(f"The token endpoint of {settings.host} answers {answer.status}.")
            return _read(settings, await read_bounded(answer, _LARGEST, settings.timeout))

    async def _asked(
        self,
        settings: RegistrySettings,
        realm: URL,
        asked: Mapping[str, str],
        known: Credential | IdentityToken | None,
    ) -> aiohttp.ClientResponse:
        if isinstance(known, IdentityToken):
            form = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": known.secret, **asked}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return await self._connections.send(settings, "POST", realm, headers, urlencode(form).encode())
        headers = {"Authorization": known.basic()} if known else {}
        return await self._connections.send(settings, "GET", realm.update_query(asked), headers)


def _basic(settings: RegistrySettings, known: Credential | IdentityToken | None) -> str:
    if isinstance(known, Credential):
        return known.basic()
    what = "an identity token is configured" if known else "none is configured"
    raise RegistryUnauthorized(f"The registry {settings.host} demands a name and password; {what}.")


def _read(settings: RegistrySettings, content: bytes) -> str:
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RegistryAnswerInvalid(f"The token endpoint of {settings.host} answers no token.") from None
    given = answer.token or answer.access_token
    if not given or len(given) > _LONGEST or not given.isascii() or not given.isprintable():
        raise RegistryAnswerInvalid(f"The token endpoint of {settings.host} answers no token.")
    return given
