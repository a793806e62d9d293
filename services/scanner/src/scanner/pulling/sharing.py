"""Reading each layer once: what is held in the cache is not read, and what is being read is waited for."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.workers import Workers

from scanner.layers.cache import LayerCache
from scanner.layers.layer import Layer


class SharedLayers:
    """The layers of every image that this process reads, by their digests."""

    def __init__(self, workers: Workers, cache: LayerCache | None = None) -> None:
        self._workers = workers
        self._cache = cache
        self._reading: dict[str, asyncio.Future[Layer | None]] = {}

    async def get(self, digest: str, read: Callable[[], Awaitable[Layer]]) -> tuple[Layer, bool]:
        """The layer, and whether it was there without reading it. Raises what `read` raises."""
        while (reading := self._reading.get(digest)) is not None:
            # Whoever reads it may fail where this one, with another registry, does not.
            if (layer := await asyncio.shield(reading)) is not None:
                return layer, True
        reading = self._reading[digest] = asyncio.get_running_loop().create_future()
        layer = None
        try:
            held = await self._workers.run(self._cache.get, digest) if self._cache else None
            if held is not None:
                layer = held
                return held, True
            layer = await read()
            if self._cache:
                await self._workers.run(self._cache.put, layer)
            return layer, False
        finally:
            del self._reading[digest]
            reading.set_result(layer)
