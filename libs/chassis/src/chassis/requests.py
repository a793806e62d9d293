"""Request ids: the same id from the same caller gives the first answer again, for a day.

The answer is kept by the transaction that does the work, so that a crash leaves both or neither. Work that leaves the
process keeps an answer that says so before it does, and is resumed by whoever asks again.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument
from chassis.identity import current_caller
from chassis.tables import requests

_KEPT: Final = timedelta(hours=24)
_LONGEST: Final = 128

Answer = TypeVar("Answer", bound=Message)
Result = TypeVar("Result")


class RequestIdReused(AlreadyExists):
    """The request id was used before, with another body."""


@dataclass(slots=True)
class _Asked:
    """The request whose work is done now. `encode` makes the answer of what the work gives."""

    caller: str
    method: str
    request_id: str
    body: str
    encode: Callable[[Any], Message]
    clock: Clock
    kept: bool = False

    def is_it(self) -> ColumnElement[bool]:
        """The condition that finds its row."""
        return and_(
            requests.c.caller == self.caller,
            requests.c.method == self.method,
            requests.c.request_id == self.request_id,
        )

    def row(self, answer: bytes, now: datetime) -> dict[str, Any]:
        """Its row."""
        return {
            "caller": self.caller,
            "method": self.method,
            "request_id": self.request_id,
            "body": self.body,
            "answer": answer,
            "expires": now + _KEPT,
        }


_ASKED: ContextVar[_Asked | None] = ContextVar("asked", default=None)


async def keep_answer(session: AsyncSession, result: object) -> None:
    """Keep what the request's work gives within the transaction that does it; nothing for a request without an id."""
    asked = _ASKED.get()
    if asked is None:
        return
    now = asked.clock.now()
    answer = asked.encode(result).SerializeToString()
    await session.execute(delete(requests).where(or_(asked.is_it(), requests.c.expires <= now)))
    await session.execute(insert(requests).values(**asked.row(answer, now)))
    asked.kept = True


async def forget_answer(session: AsyncSession) -> None:
    """Forget what was kept for the request: its work failed after all, and the same id may be tried anew."""
    asked = _ASKED.get()
    if asked is not None:
        await session.execute(delete(requests).where(asked.is_it()))


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
        encode: Callable[[Result], Answer],
        work: Callable[[], Awaitable[Result]],
        resume: Callable[[Answer], Awaitable[Result] | None] = lambda _: None,
    ) -> Answer:
        """Do the work, which keeps its answer by `keep_answer`, or give the answer kept. An empty id does it each time.

        `resume` goes on with work that a kept answer shows unfinished; None: it is finished. What fails is not kept:
        the same id may be tried again. Raises RequestIdReused, InvalidArgument.
        """
        if not request_id:
            return encode(await work())
        if len(request_id) > _LONGEST:
            raise InvalidArgument(f"A request id has at most {_LONGEST} characters.", field="request_id")
        body = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        asked = _Asked(current_caller().spiffe_id, method, request_id, body, encode, self._clock)
        key = (asked.caller, method, request_id)
        try:
            async with self._running[key]:
                first = await self._kept(asked)
                if first is None:
                    return encode(await _done(asked, work()))
                given = answer.FromString(first)
                left = resume(given)
                return given if left is None else encode(await _done(asked, left))
        finally:
            if not self._running[key].locked():
                del self._running[key]

    async def _kept(self, asked: _Asked) -> bytes | None:
        same = select(requests.c.body, requests.c.answer).where(asked.is_it(), requests.c.expires > self._clock.now())
        async with self._database.read() as session:
            row = (await session.execute(same)).one_or_none()
        if row is None:
            return None
        if row.body != asked.body:
            raise RequestIdReused("This request id was used for another request within a day.", field="request_id")
        return bytes(row.answer)


async def _done(asked: _Asked, work: Awaitable[Result]) -> Result:
    token = _ASKED.set(asked)
    try:
        result = await work
    finally:
        _ASKED.reset(token)
    if not asked.kept:
        raise RuntimeError(f"{asked.method} did its work and kept no answer")
    return result
