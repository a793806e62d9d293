"""The policy service over a database of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.factories.policy_service import Offices, offices


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Offices]:
    """The servicers."""
    async with offices(tmp_path) as opened:
        yield opened
