"""A registry in this process, and clients of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from registry.client import RegistryClient
from registry.settings import RegistrySettings

from tests.fakes.registry import FakeRegistry

Connect = Callable[..., RegistryClient]


@pytest.fixture
async def fake() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as registry:
        yield registry


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make clients of a registry, with settings that are given."""
    clients = []

    def make(registry: FakeRegistry, **given: Any) -> RegistryClient:
        chosen: dict[str, Any] = {"host": registry.host, "plain_http": True, "timeout": 5, "retries": 0} | given
        clients.append(RegistryClient([RegistrySettings(**chosen)]))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def client(fake: FakeRegistry, connect: Connect) -> RegistryClient:
    return connect(fake)
