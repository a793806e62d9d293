"""Real components from npm, unpacked beside the others: never installed into the machine, no script of theirs run."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.tools.debian import TOOLS, ToolMissing

_HERE = Path(__file__).resolve().parent
_VERIFY = "@sigstore/verify@3.1.1"
_INSTALL_SECONDS = 100


def bundle_verifier() -> tuple[list[str], dict[str, str]]:
    """The command and environment that verify a Sigstore bundle: `… BUNDLE.json KEY.pem`. Raises ToolMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise ToolMissing("node and npm are not installed")
    modules = _installed(npm, TOOLS / "npm")
    return [node, str(_HERE / "verify_bundle.js")], {"NODE_PATH": str(modules)}


def _installed(npm: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    modules = folder / "node_modules"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (modules / "@sigstore" / "verify").exists():
            command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", _VERIFY]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
            except (OSError, subprocess.SubprocessError) as error:
                raise ToolMissing(f"{_VERIFY} could not be unpacked: {error}") from error
    return modules
