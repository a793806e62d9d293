"""Real components from Debian: an installed copy, else one unpacked aside by fetch_debs.sh."""

import os
import shutil
import subprocess
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_TOOLS = Path(os.environ.get("HALLMARK_TOOLS") or _HERE.parents[1] / ".cache" / "tools")
_FETCH_SECONDS = 100


class ToolMissing(Exception):
    """A component is neither installed nor to be had; the text says why."""


def docker_registry() -> Path:
    """The program of CNCF distribution, 2.8 of Debian 12. Raises ToolMissing."""
    return _program("docker-registry", "bookworm", "usr/bin/docker-registry", "docker-registry")


def _program(name: str, suite: str, path: str, *packages: str) -> Path:
    installed = shutil.which(name)
    if installed:
        return Path(installed)
    folder = _TOOLS / name
    try:
        subprocess.run(
            [_HERE / "fetch_debs.sh", folder, suite, *packages], check=True, capture_output=True, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise ToolMissing(f"{name} is not installed and could not be unpacked: {error} {last}") from error
    return folder / "fs" / path
