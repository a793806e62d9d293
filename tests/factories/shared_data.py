"""Real data beside the checkout, in `../shared/data` or where HALLMARKDATA says; it is no part of the project."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("HALLMARKDATA") or Path(__file__).parents[3] / "shared" / "data")

needs_shared_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the shared data beside the checkout, or where HALLMARKDATA says"
)
