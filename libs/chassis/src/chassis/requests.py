"""Request ids: the same id from the same caller gives the first answer again, for a day."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import delete, insert, select

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument
from chassis.identity import current_caller
from chassis.tables import requests

_KEPT: Final = timedelta(hours=24)
_LONGEST: Final = 128

Answer = TypeVar("Answer", bound=Message)


class RequestIdReused(AlreadyExists):
    """The request id was used before, with another body."""


class Requests:
    """The answers that were given, in the service's own database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._running: defaultdict[tuple[str, str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def once(
        self,
        method: str,
        request_id: str,
        request: Message,
        answer: type[Answer],
        work: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """Do the work and keep its answer, or give the answer kept. An empty id does the work each time.

        What fails is not kept: the same id may be tried again. Raises RequestIdReused, InvalidArgument.
        """
        if not request_id:
            return await work()
        if len(request_id) > _LONGEST:
            raise InvalidArgument(f"A request id has at most {_LONGEST} characters.", field="request_id")
        key = (current_caller().spiffe_id, method, request_id)
        body = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        try:
            async with self._running[key]:
                kept = await self._kept(key, body)
                if kept is not None:
                    return answer.FromString(kept)
                given = await work()
                await self._keep(key, body, given.SerializeToString())
                return given
        finally:
            if not self._running[key].locked():
                del self._running[key]

    async def _kept(self, key: tuple[str, str, str], body: str) -> bytes | None:
        caller, method, request_id = key
        same = select(requests.c.body, requests.c.answer).where(
            requests.c.caller == caller,
            requests.c.method == method,
            requests.c.request_id == request_id,
            requests.c.expires > self._clock.now(),
        )
        async with self._database.read() as session:
            row = (await session.execute(same)).one_or_none()
        if row is None:
            return None
        if row.body != body:
            raise RequestIdReused("This request id was used for another request within a day.", field="request_id")
        return bytes(row.answer)

    async def _keep(self, key: tuple[str, str, str], body: str, answer: bytes) -> None:
        caller, method, request_id = key
        now = self._clock.now()
        async with self._database.begin() as session:
            await session.execute(delete(requests).where(requests.c.expires <= now))
            await session.execute(
                insert(requests).values(
                    caller=caller, method=method, request_id=request_id, body=body, answer=answer, expires=now + _KEPT
                )
            )
