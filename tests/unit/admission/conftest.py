"""A webhook with a scripted verifier."""

import pytest

from tests.fakes.webhook import Desk


@pytest.fixture
def desk() -> Desk:
    """The webhook."""
    return Desk()
