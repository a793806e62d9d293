"""Bodies of answers, as they come: never more bytes, and never slower, than anybody would wait for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import aiohttp

from registry.errors import BodyTooLarge, RegistryUnavailable

_PIECE: Final = 1 << 18
_SLOWEST: Final = 1 << 14  # bytes a second


async def pieces(answer: aiohttp.ClientResponse, patience: float) -> AsyncIterator[bytes]:
    """Give a body as it comes. Raises RegistryUnavailable where, `patience` seconds aside, it trickles.

    Only the time counts in which the registry was waited for, not what is done with the pieces meanwhile.
    """
    clock = asyncio.get_running_loop().time
    waited, size = 0.0, 0
    while True:
        began = clock()
        piece = await answer.content.read(_PIECE)
        waited += clock() - began
        if not piece:
            return
        size += len(piece)
        if waited > patience + size / _SLOWEST:
            raise RegistryUnavailable(f"{answer.url.host} sends too slowly: {size} bytes in {waited:.0f} s.")
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
