"""Each service installs from its own pins into an empty environment, and knows no sibling there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
SERVICES = ("scanner", "signer", "policy", "verifier", "admission")
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HALLMARK_")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ | variables, timeout=300)


def install(service: str, environment: Path) -> Path:
    """Install one service from its pins and the wheels of this tree; gives its interpreter."""
    python = environment / "bin" / "python"
    steps: tuple[tuple[str | Path, ...], ...] = (
        (UV, "venv", "--quiet", "--python", sys.executable, environment),
        (UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", f"requirements/{service}.txt"),
        (UV, "pip", "install", "--quiet", "--python", python, "--no-deps", *wheels(service)),
    )
    for step in steps:
        result = subprocess.run(step, cwd=TOP, capture_output=True, text=True, check=False, timeout=300)
        assert result.returncode == 0, result.stderr
    return python


def wheels(service: str) -> list[str]:
    libraries = ["libs/wire", "libs/chassis"] + ([] if service == "admission" else ["libs/registry"])
    return [f"./{part}" for part in (*libraries, f"services/{service}")]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_stands_alone(service: str, tmp_path: Path) -> None:
    python = install(service, tmp_path / "environment")

    others = [name for name in SERVICES if name != service]
    siblings = run(python, "-c", f"from importlib.util import find_spec; print([n for n in {others} if find_spec(n)])")
    assert siblings.stdout.strip() == "[]"

    module = run(python, "-c", f"import {service}; print({service}.__file__)")
    assert str(tmp_path) in module.stdout, module.stderr
