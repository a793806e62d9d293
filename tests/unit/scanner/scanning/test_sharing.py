"""Layers that images share are read once, at once or one after another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.workers import Workers
from scanner.layers.cache import LayerCache
from scanner.layers.layer import Layer
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.pulling.sharing import SharedLayers

from tests.factories.images import file, tar

LAYER = read_layer([tar([file("a")])], lambda _: 10, Limits())


class Reader:
    """Reads LAYER, when it is let; counts how often it was asked to."""

    def __init__(self) -> None:
        self.begun = 0
        self.beginning: asyncio.Queue[None] = asyncio.Queue()
        self.let = asyncio.Event()
        self.failing = False

    async def read(self) -> Layer:
        self.begun += 1
        self.beginning.put_nowait(None)
        await self.let.wait()
        if self.failing:
            self.failing = False
            raise ConnectionError
        return LAYER


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(2)
    yield workers
    workers.close()


async def test_two_at_once_read_once(workers: Workers) -> None:
    shared, reader = SharedLayers(workers), Reader()
    both = [asyncio.create_task(shared.get(LAYER.digest, reader.read)) for _ in range(2)]
    await reader.beginning.get()
    reader.let.set()
    assert sorted(held for _, held in await asyncio.gather(*both)) == [False, True]
    assert reader.begun == 1


async def test_who_waited_reads_where_the_other_fails(workers: Workers) -> None:
    shared, reader = SharedLayers(workers), Reader()
    reader.failing = True
    both = [asyncio.create_task(shared.get(LAYER.digest, reader.read)) for _ in range(2)]
    await reader.beginning.get()
    reader.let.set()
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert isinstance(first, ConnectionError)
    assert second == (LAYER, False)


async def test_who_waited_reads_where_the_other_is_cancelled(workers: Workers) -> None:
    shared, reader = SharedLayers(workers), Reader()
    first, second = (asyncio.create_task(shared.get(LAYER.digest, reader.read)) for _ in range(2))
    await reader.beginning.get()
    first.cancel()
    await reader.beginning.get()
    reader.let.set()
    assert await second == (LAYER, False)
    assert first.cancelled()


async def test_a_cancelled_wait_leaves_the_reader_at_work(workers: Workers) -> None:
    shared, reader = SharedLayers(workers), Reader()
    first, second = (asyncio.create_task(shared.get(LAYER.digest, reader.read)) for _ in range(2))
    await reader.beginning.get()
    await asyncio.sleep(0)
    second.cancel()
    reader.let.set()
    assert await first == (LAYER, False)


async def test_what_the_cache_holds_is_not_read(workers: Workers, tmp_path: Path) -> None:
    reader = Reader()
    reader.let.set()
    first = SharedLayers(workers, LayerCache(tmp_path, 10**6, {"a": 1}))
    assert await first.get(LAYER.digest, reader.read) == (LAYER, False)
    second = SharedLayers(workers, LayerCache(tmp_path, 10**6, {"a": 1}))
    assert await second.get(LAYER.digest, reader.read) == (LAYER, True)
    assert reader.begun == 1
