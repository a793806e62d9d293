"""Real Python packages: downloaded once from the configured package index, kept for later runs."""

import subprocess
import sys
from pathlib import Path

from deploy.local.demo.commands import Unexpected

OLD = ("jinja2==2.11.2", "urllib3==1.26.4", "joblib==1.1.0")
"""Versions with known vulnerabilities."""
CURRENT = ("jinja2>=3.1.6", "urllib3>=2.6.3", "joblib>=1.5")
"""The same packages without them."""
LONGEST_SECONDS = 120


def download(requirements: tuple[str, ...], folder: Path) -> list[Path]:
    """The wheels of these requirements, without their dependencies. Raises Unexpected where none are to be had."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(found := sorted(folder.glob("*.whl"))) == len(requirements):
        return found
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), *requirements]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
        raise Unexpected(
            f"The Python packages of the demonstration could not be downloaded: {_said(problem)}"
        ) from None
    return sorted(folder.glob("*.whl"))


def shop(version: str, folder: str) -> dict[str, bytes]:
    """The demonstration's own package, as pip would leave it in the folder."""
    info = f"{folder}/hallmark_demo_shop-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: hallmark-demo-shop\nVersion: {version}\n"
    return {
        f"{folder}/hallmark_demo_shop/__init__.py": b'"""A shop that sells nothing."""\n',
        f"{info}/METADATA": metadata.encode(),
        f"{info}/INSTALLER": b"pip\n",
        f"{info}/RECORD": b"",
    }


def _said(problem: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> str:
    if isinstance(problem, subprocess.TimeoutExpired):
        return f"no answer within {LONGEST_SECONDS} s."
    return str(problem.stderr).strip().rpartition("\n")[2]
