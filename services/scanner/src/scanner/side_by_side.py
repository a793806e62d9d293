"""Several pieces of work at a time, which succeed or fail as one."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

Result = TypeVar("Result")


async def all_or_none(works: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Do them side by side; where one fails, stop the others and raise what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
