"""Work that computes, off the event loop, in a bounded number of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Workers:
    """At most `most` threads; what comes while all are busy waits."""

    def __init__(self, most: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=most, thread_name_prefix="worker")

    async def run(self, work: Callable[Arguments, Result], *given: Arguments.args, **named: Arguments.kwargs) -> Result:
        """Run a function in a thread, in the context of the caller; raise what it raises."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(work, *given, **named)
        )

    def close(self) -> None:
        """Take no more work; what runs goes on to its end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
