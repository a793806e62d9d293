"""Authentication at a registry: Basic, or a bearer token from a realm that is allowed for it.

Sources: RFC 7235 and 6750 for challenges, the distribution project's token authentication specification.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

from registry.connections import authority, has_userinfo, parse_url
from registry.errors import RegistryAnswerInvalid, RegistryUnauthorized
from registry.settings import RegistrySettings

_SCHEME: Final = re.compile(r"\s*(?P<scheme>Basic|Bearer)\s+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_QUOTED: Final = r'"(?P<quoted>[ !#-\[\]-~]{0,1024})"'
_BARE: Final = r"(?P<bare>[A-Za-z0-9._~+/-]{1,1024})"
_PARAMETER: Final = re.compile(rf"\s*(?P<name>[A-Za-z_]{{1,32}})=(?:{_QUOTED}|{_BARE})\s*(?:,|$)")
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry demands: the scheme in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Sequence[str]) -> Challenge:
    """Read WWW-Authenticate headers; give the first whose scheme is known here. Raises RegistryAnswerInvalid."""
    known = (_SCHEME.fullmatch(header) for header in headers if len(header) <= _LONGEST)
    found = next(filter(None, known), None)
    if found is None:
        raise RegistryAnswerInvalid("The registry demands an authentication that is not known here.")
    parameters, at, rest = {}, 0, found["rest"].strip()
    while at < len(rest):
        parameter = _PARAMETER.match(rest, at)
        if parameter is None:
            raise RegistryAnswerInvalid("The registry's demand for authentication cannot be read.")
        parameters[parameter["name"].lower()] = parameter["quoted"] or parameter["bare"] or ""
        at = parameter.end()
    return Challenge(found["scheme"].lower(), parameters)


def demand_realm(settings: RegistrySettings, realm: str) -> URL:
    """Read the URL of a token endpoint that credentials may be sent to. Raises RegistryUnauthorized for another."""
    url = parse_url(realm, settings.host)
    secure = url.scheme == "https" or (url.scheme == "http" and settings.plain_http)
    if not secure or has_userinfo(url) or authority(url) not in {settings.host, *settings.token_hosts}:
        raise RegistryUnauthorized(
            f"{settings.host} sends us to a token endpoint at {url.scheme}://{authority(url)[:200]}, which is not"
            " allowed for it: add its host to `token_hosts` of this registry if it is right."
        )
    return url
