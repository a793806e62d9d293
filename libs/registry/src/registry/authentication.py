"""Authentication at a registry: Basic, or a bearer token from a realm that is allowed for it.

Sources: RFC 7235 and 6750 for challenges, the distribution project's token authentication specification.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from registry.errors import RegistryAnswerInvalid, RegistryUnauthorized
from registry.settings import RegistrySettings

_SCHEME: Final = re.compile(r"\s*(?P<scheme>Basic|Bearer)\s+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r'\s*([A-Za-z_]{1,32})="([^"\\]{0,1024})"\s*(?:,|$)')
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry demands: the scheme in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


class Token(msgspec.Struct, frozen=True):
    """A token endpoint's answer; other members are not read."""

    token: str = ""
    access_token: str = ""
    expires_in: int = 60


def parse_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header. Raises RegistryAnswerInvalid."""
    found = _SCHEME.fullmatch(header) if len(header) <= _LONGEST else None
    if found is None:
        raise RegistryAnswerInvalid("The registry demands an authentication that is not known here.")
    parameters, at, rest = {}, 0, found["rest"].strip()
    while at < len(rest):
        parameter = _PARAMETER.match(rest, at)
        if parameter is None:
            raise RegistryAnswerInvalid("The registry's demand for authentication cannot be read.")
        parameters[parameter[1].lower()] = parameter[2]
        at = parameter.end()
    return Challenge(found["scheme"].lower(), parameters)


def demand_realm(settings: RegistrySettings, realm: str) -> None:
    """Refuse a token endpoint that credentials must not be sent to. Raises RegistryUnauthorized."""
    parts = urlsplit(realm)
    secure = parts.scheme == "https" or (parts.scheme == "http" and settings.plain_http)
    if not secure or "@" in parts.netloc or parts.netloc.lower() not in {settings.host, *settings.token_hosts}:
        raise RegistryUnauthorized(
            f"{settings.host} sends us to a token endpoint at {parts.netloc[:200]!r}, which is not allowed for it:"
            " add it to `token_hosts` of this registry if it is right."
        )
