"""Lists that come in pages: each page once, and bounded together in number, bytes and time.

Source: OCI distribution specification 1.1, "Listing Tags" and "Listing Referrers" (a Link header, RFC 8288).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
from chassis.errors import Refusal
from yarl import URL

from registry.answers import demand_found
from registry.bodies import read_bounded
from registry.errors import BodyTooLarge, RegistryAnswerInvalid
from registry.transport import Transport

_LARGEST: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Pages:
    """Reads lists, of at most so many pages and 8 MiB together."""

    transport: Transport
    most: int

    async def read(self, host: str, path: str, scope: str, absent: Refusal) -> AsyncIterator[bytes]:
        """Give each page as it was received. Raises `absent` where there is no list; BodyTooLarge.

        Raises RegistryAnswerInvalid where the pages lead in a circle, or a later page is missing.
        """
        seen, left = {path}, _LARGEST
        while True:
            async with self.transport.request(host, "GET", path, scope=scope) as answer:
                demand_found(answer, host, absent)
                body = await read_bounded(answer, left, self.transport.settings(host).timeout)
                following = _next(answer, host)
            yield body
            if following is None:
                return
            if following in seen:
                raise RegistryAnswerInvalid(f"The pages of a list of {host} lead in a circle: {following[:200]!a}.")
            if len(seen) == self.most:
                raise BodyTooLarge(f"{host} gives a list of more than {self.most} pages: {path[:200]!a}.")
            absent = RegistryAnswerInvalid(f"A page of a list of {host} is missing: {following[:200]!a}.")
            path, left = following, left - len(body)
            seen.add(path)


def _next(answer: aiohttp.ClientResponse, host: str) -> str | None:
    """The path of the page that follows. Whatever host it names, it is asked of the same registry."""
    try:
        link = answer.links.get("next")
    except ValueError:
        raise RegistryAnswerInvalid(f"A list of {host} names a following page that is no URL.") from None
    following = link.get("url") if link else None
    return following.raw_path_qs if isinstance(following, URL) else None
