"""Between the event loop, which pulls, and a thread, which reads: a pipe that holds a few chunks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar

from chassis.workers import Workers

_WAITING = 8
"""Chunks that may wait to be read; a registry that is faster waits."""

Result = TypeVar("Result")


class _Abandoned(Exception):
    """Nobody waits for the reader any more."""


async def read_in_thread(
    chunks: AsyncIterator[bytes], read: Callable[[Iterator[bytes]], Result], workers: Workers
) -> Result:
    """Give the chunks, as they come, to a reader in a thread; return what it returns.

    Raises what the reader raises, and through it what `chunks` raises.
    """
    pipe = _Pipe()
    reading = asyncio.ensure_future(workers.run(read, pipe))
    feeding = asyncio.ensure_future(pipe.feed(chunks))
    try:
        await asyncio.wait([reading])
        return reading.result()
    finally:
        reading.cancel()
        feeding.cancel()
        pipe.abandon()
        await asyncio.gather(reading, feeding, return_exceptions=True)


class _Pipe(Iterator[bytes]):
    """Iterated in the thread, fed in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(_WAITING)
        self._queue: SimpleQueue[bytes | Exception] = SimpleQueue()

    def __next__(self) -> bytes:
        item = self._queue.get()
        if isinstance(item, Exception):
            raise item
        self._loop.call_soon_threadsafe(self._room.release)
        return item

    async def feed(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                await self._room.acquire()
                self._queue.put(chunk)
        except Exception as problem:  # noqa: BLE001  # raised again in the thread, and by it to the caller
            self._queue.put(problem)
        else:
            self._queue.put(StopIteration())

    def abandon(self) -> None:
        """Ends a reader that waits for chunks nobody will bring."""
        self._queue.put(_Abandoned())
