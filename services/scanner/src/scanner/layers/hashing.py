"""Digesting in a thread of its own: hashing releases the interpreter, so that it costs a reader next to no time."""

import hashlib
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self

_WAITING = 8
"""Blocks that may wait to be digested; a reader that is faster waits."""


class HashingThread:
    """A thread that digests blocks in the order in which they are given. A context manager."""

    def __init__(self) -> None:
        self._queue: Queue[tuple[hashlib._Hash, bytes] | None] = Queue(_WAITING)
        self._thread = Thread(target=self._run, name="layer-digests", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Waits until everything given is digested."""
        self._queue.put(None)
        self._thread.join()

    def update(self, digest: "hashlib._Hash", block: bytes) -> None:
        """Adds a block to a digest, which may be read after the end alone."""
        self._queue.put((digest, block))

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            digest, block = job
            digest.update(block)
