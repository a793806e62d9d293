"""What the status of an answer means: of a request that reads, and of one that stores.

Source: OCI distribution specification 1.1, "Error Codes".
"""

import re
from typing import Final

import aiohttp
import msgspec
from chassis.errors import Refusal

from registry.bodies import read_bounded
from registry.errors import PushRefused, PushTooLarge, RegistryUnauthorized, RegistryUnavailable, RepositoryNotFound

OK: Final = 200
CREATED: Final = 201
ACCEPTED: Final = 202
NOT_FOUND: Final = 404
_DENIED: Final = frozenset({401, 403})
_TOO_LARGE: Final = 413
_FIRST_FAULT: Final = 400
_FIRST_TROUBLE: Final = 500
_LARGEST: Final = 1 << 16
_CODE: Final = re.compile(r"[A-Z_]{1,64}")


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: list[_Error] = []


def demand_found(answer: aiohttp.ClientResponse, host: str, absent: Refusal) -> None:
    """Raise `absent` where what was asked for is not there, and what demand_read raises."""
    if answer.status == NOT_FOUND:
        raise absent
    demand_read(answer, host)


def demand_read(answer: aiohttp.ClientResponse, host: str) -> None:
    """Raise RegistryUnauthorized, or RegistryUnavailable (could not tell), where the answer is not what was due."""
    if answer.status in _DENIED:
        raise _unauthorized(host)
    if answer.status != OK:
        raise RegistryUnavailable(f"The registry {host} answers {answer.status} where {OK} was due.")


async def demand_stored(
    answer: aiohttp.ClientResponse, host: str, repository: str, status: int, patience: float
) -> None:
    """Raise why something was not stored: only RegistryUnavailable may be gone at the next attempt.

    Raises RegistryUnauthorized, RepositoryNotFound, PushTooLarge, PushRefused, RegistryUnavailable.
    """
    if answer.status == status:
        return
    if answer.status in _DENIED:
        raise _unauthorized(host)
    if not _FIRST_FAULT <= answer.status < _FIRST_TROUBLE:
        raise RegistryUnavailable(f"The registry {host} answers {answer.status} where {status} was due.")
    says = f"it answers {answer.status} {_code(await read_bounded(answer, _LARGEST, patience))}".rstrip()
    if answer.status == NOT_FOUND:
        raise RepositoryNotFound(f"The registry {host} stores nothing in {repository}: {says}.")
    if answer.status == _TOO_LARGE:
        raise PushTooLarge(f"The registry {host} takes nothing that large: {says}.")
    raise PushRefused(f"The registry {host} does not take what was to be stored in {repository}: {says}.")


def _unauthorized(host: str) -> RegistryUnauthorized:
    return RegistryUnauthorized(f"The registry {host} does not let us do this with the configured credentials.")


def _code(body: bytes) -> str:
    """The code of the first error in a body; empty where it names none. Its other words are anybody's."""
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    code = errors[0].code if errors else ""
    return code if _CODE.fullmatch(code) else ""
