"""A scanner before a registry, which takes documents in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from scanner.layers.limits import Limits
from scanner.runner import Bounds

from tests.factories.scanning import Scanning, scanning


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Scanning]:
    async with scanning(tmp_path, Bounds(attempts=3), Limits()) as made:
        yield made
