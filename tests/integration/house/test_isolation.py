"""Each service installs from its own pins into an empty environment, knows no sibling there, and starts."""

import os
import subprocess
import sys
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest
from hallmark_cli import toml
from hallmark_cli.local import configs, identities
from hallmark_cli.local.authority import utc_now
from hallmark_cli.local.files import write_private
from hallmark_cli.local.home import Home
from hallmark_cli.local.ports import choose
from hallmark_cli.local.records import Choices
from hallmark_cli.local.suite import MIGRATED

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
    starts(python, service, Home(tmp_path / "home"))


def starts(python: Path, service: str, home: Home) -> None:
    """It makes its database, serves although no neighbour answers, and ends when it is told to."""
    choices = Choices(ports=choose(configs.PORTS, {}))
    home.prepare()
    identities.ensure(home, choices.cluster, utc_now())
    write_private(home.vault_key, bytes(32))
    write_private(home.config(service), toml.dumps(configs.config(service, home, choices)).encode())
    command = [str(python), "-m", service]
    settings = ["--config", str(home.config(service))]
    if service in MIGRATED:
        assert run(*command, "migrate", *settings).returncode == 0
    with subprocess.Popen([*command, *settings], stderr=subprocess.PIPE, cwd=home.path) as process:
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if b'"service started"' in line:
                break
        else:
            pytest.fail(b"".join(said).decode())
        port = choices.ports[configs.probe(service)]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=10) as answer:
            assert answer.status == HTTPStatus.OK
        process.terminate()
        process.stderr.read()
        assert process.wait(30) == 0
