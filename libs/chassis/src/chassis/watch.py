"""Watch streams: a snapshot, then changes, then a heartbeat each second that was read from the store, not made up.

A revision is (epoch, counter). The epoch is configuration, raised by the operator after a restore; a reader refuses
another epoch, and a counter below one that it has seen.
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from hallmark.common.v1.stream_pb2 import (
    STREAM_EVENT_CHANGE,
    STREAM_EVENT_HEARTBEAT,
    STREAM_EVENT_SNAPSHOT_BATCH,
    STREAM_EVENT_SNAPSHOT_BEGIN,
    STREAM_EVENT_SNAPSHOT_END,
    StreamEvent,
    StreamHead,
)

from chassis.clock import Clock
from chassis.errors import Unavailable

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 1.0
_LONGEST_BACKOFF: Final = 5.0
_MOST_RECORDS: Final = 1_000_000

Record = TypeVar("Record")
Sent_co = TypeVar("Sent_co", covariant=True)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A revision of a store."""

    epoch: int
    counter: int


class Source(Protocol[Sent_co]):
    """What a store offers to be watched."""

    async def position(self) -> Position:
        """Read the position of the last change."""
        ...

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[Sent_co]]]:
        """A position, and every record as it was then or later."""
        ...

    async def changes(self, after: int) -> Sequence[tuple[int, Sent_co]] | None:
        """The next changes after a counter, with their counters; None where they are not kept any more."""
        ...


class Notifier:
    """Wakes the streams of this process after a commit; others notice within a heartbeat."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Say that something changed."""
        self._next.set()
        self._next = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """What the next change sets. Taken before the store is read, no change falls between reading and waiting."""
        return self._next


async def _wait(change: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await change.wait()
    except TimeoutError:
        return


async def serve(
    source: Source[Record], resume_token: str, notifier: Notifier
) -> AsyncIterator[tuple[StreamHead, Sequence[Record]]]:
    """Give the answers of a Watch stream: heads with the records that go with them. Ends only when it is cancelled."""
    now = await source.position()
    reached = _resumed(resume_token, now)
    while True:
        change = notifier.listen()
        changes = None if reached is None else await source.changes(reached.counter)
        if reached is None or changes is None:
            reached, batches = await source.snapshot()
            yield _head(STREAM_EVENT_SNAPSHOT_BEGIN, reached, token=False), ()
            async for batch in batches:
                yield _head(STREAM_EVENT_SNAPSHOT_BATCH, reached, token=False), batch
            yield _head(STREAM_EVENT_SNAPSHOT_END, reached), ()
        elif changes:
            reached = Position(reached.epoch, changes[-1][0])
            yield _head(STREAM_EVENT_CHANGE, reached), [record for _, record in changes]
        else:
            # The store was read just now: it holds no change after this position.
            yield _head(STREAM_EVENT_HEARTBEAT, reached), ()
            await _wait(change, HEARTBEAT_SECONDS)


def _resumed(token: str, now: Position) -> Position | None:
    epoch, dot, counter = token.partition(".")
    if not dot or not (epoch + counter).isdecimal() or not (epoch + counter).isascii():
        return None
    position = Position(int(epoch), int(counter))
    return position if position.epoch == now.epoch and position.counter <= now.counter else None


def _head(event: StreamEvent.ValueType, reached: Position, *, token: bool = True) -> StreamHead:
    text = f"{reached.epoch}.{reached.counter}" if token else ""
    return StreamHead(event=event, epoch=reached.epoch, counter=reached.counter, resume_token=text)


class StreamRefused(Unavailable):
    """A stream shows another epoch than the configured one, goes back, or breaks its order."""


class Follower(Generic[Record]):
    """Follows a Watch stream for as long as the process runs; what it holds is as old as `age()` says.

    `opened` opens the stream at a resume token and gives heads with decoded records; `swap` takes a whole snapshot,
    `apply` takes changes. Whatever goes wrong, what is held stays, its age grows, and the stream is opened again.
    """

    def __init__(
        self,
        *,
        name: str,
        epoch: int,
        clock: Clock,
        opened: Callable[[str], AsyncIterator[tuple[StreamHead, Sequence[Record]]]],
        swap: Callable[[Sequence[Record]], None],
        apply: Callable[[Sequence[Record]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._clock = clock
        self._opened = opened
        self._swap = swap
        self._apply = apply
        self._sleep = sleep
        self._reached = Position(epoch, 0)
        self._token = ""
        self._snapshot: list[Record] | None = None
        self._heard: float | None = None

    def age(self) -> float:
        """Seconds since the stream last said that what is held is true; infinite before it ever did."""
        return math.inf if self._heard is None else self._clock.monotonic() - self._heard

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        backoff = 0.1
        while True:
            heard = self._heard
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001  # a stream may fail in any way; it is opened again
                log.warning("stream broke", extra={"stream": self._name, "error": str(error)[:500]})
            backoff = 0.1 if self._heard != heard else min(backoff * 2, _LONGEST_BACKOFF)
            await self._sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311  # jitter needs no secrecy

    async def _follow(self) -> None:
        self._snapshot = None
        async for head, records in self._opened(self._token):
            self._check(head)
            self._take(head, records)

    def _check(self, head: StreamHead) -> None:
        if head.epoch != self._reached.epoch:
            raise StreamRefused(f"The stream is of epoch {head.epoch}; epoch {self._reached.epoch} is configured.")
        if head.counter < self._reached.counter:
            raise StreamRefused(f"The stream is at {head.counter}, behind {self._reached.counter}.")

    def _take(self, head: StreamHead, records: Sequence[Record]) -> None:
        if head.event == STREAM_EVENT_SNAPSHOT_BEGIN:
            self._snapshot = []
        elif head.event == STREAM_EVENT_SNAPSHOT_BATCH and self._snapshot is not None:
            self._snapshot.extend(records)
            if len(self._snapshot) > _MOST_RECORDS:
                raise StreamRefused(f"The snapshot has more than {_MOST_RECORDS} records.")
        elif head.event == STREAM_EVENT_SNAPSHOT_END and self._snapshot is not None:
            self._swap(self._snapshot)
            self._snapshot = None
            self._hear(head)
        elif head.event == STREAM_EVENT_CHANGE and self._settled():
            self._apply(records)
            self._hear(head)
        elif head.event == STREAM_EVENT_HEARTBEAT and self._settled():
            self._hear(head)
        else:
            raise StreamRefused(f"The stream sends the event {head.event} where none such belongs.")

    def _settled(self) -> bool:
        return self._snapshot is None and self._token != ""

    def _hear(self, head: StreamHead) -> None:
        self._reached = Position(head.epoch, head.counter)
        self._token = head.resume_token
        self._heard = self._clock.monotonic()
