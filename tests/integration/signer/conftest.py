"""A signer in this process for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.factories.workshop import Workshop, workshop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A signer whose registry has the referrers API."""
    async with workshop(tmp_path) as made:
        yield made


@pytest.fixture
async def old_shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A signer whose registry lacks the referrers API."""
    async with workshop(tmp_path, referrers=False) as made:
        yield made
