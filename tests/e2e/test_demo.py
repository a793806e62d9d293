"""The demonstration, played once: every case as expected, and nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.timeout(420)
def test_the_demonstration_goes_as_it_says() -> None:
    played = subprocess.run(
        [sys.executable, "-m", "deploy.local.demo"], cwd=TOP, capture_output=True, text=True, check=False, timeout=400
    )
    assert played.returncode == 0, played.stdout[-6000:] + played.stderr[-2000:]
    table = played.stdout.rpartition("What was expected, and what happened")[2]
    assert table.count("agrees") == 16, table
    assert "not played" not in table
    assert "Traceback" not in played.stdout + played.stderr
