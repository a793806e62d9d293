"""Waiting for what another task of this process says."""

import asyncio


async def heard(change: asyncio.Event, seconds: float) -> None:
    """Wait for a notifier's next change, at most this long. Taken before the store is read, none is missed."""
    try:
        async with asyncio.timeout(seconds):
            await change.wait()
    except TimeoutError:
        return
