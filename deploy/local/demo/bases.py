"""The root file system that the images stand on: the best that this machine can give without a container engine."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.demo.layers import Layer, layer, packed
from deploy.local.demo.narration import Narration
from tests.tools.debian import ToolMissing, mmdebstrap

SUITES = ("bullseye", "bookworm", "trixie")
"""Releases of Debian that the advisories of the demonstration speak of."""
PATIENCE_SECONDS = 150
LEFT_OUT = ("doc", "man", "locale", "info")


@dataclass(frozen=True, slots=True)
class Base:
    """What the images stand on; no layer: on nothing."""

    description: str
    layers: tuple[Layer, ...]


def find_base(cache: Path, narration: Narration) -> Base:
    """A Debian of its own, else this machine's package database where it is Debian's, else nothing."""
    release = _release()
    suite = release.get("VERSION_CODENAME", "")
    built = _debian(cache, suite if suite in SUITES else "bookworm", narration)
    if built is not None:
        return built
    status = Path("/var/lib/dpkg/status")
    if release.get("ID") == "debian" and suite in SUITES and status.exists():
        files = {name: Path("/", name).read_bytes() for name in ("etc/os-release", "var/lib/dpkg/status")}
        return Base("this machine's own package database of Debian", (layer(files),))
    return Base("nothing but Python packages", ())


def _debian(cache: Path, suite: str, narration: Narration) -> Base | None:
    kept = cache / f"{suite}.tar.gz"
    noted = kept.with_suffix(".diff-id")
    if not (kept.exists() and noted.exists()):
        if os.geteuid() != 0:
            narration.say("Not root, so no Debian of its own is built.")
            return None
        archive = _bootstrap(cache, suite, narration)
        if archive is None:
            return None
        made = packed(archive.read_bytes())
        archive.unlink()
        kept.write_bytes(made.blob)
        noted.write_text(made.diff_id)
    return Base(f"Debian ({suite}), built by mmdebstrap", (Layer(kept.read_bytes(), noted.read_text()),))


def _bootstrap(cache: Path, suite: str, narration: Narration) -> Path | None:
    archive = cache / f"{suite}.tar"
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in LEFT_OUT]
    narration.say(f"Building a Debian ({suite}) root file system; kept for later runs...")
    try:
        tool = mmdebstrap()
        command = [*tool.command, "--quiet", "--variant=minbase", "--mode=root", *excluded, suite, str(archive)]
        subprocess.run(
            command, env={**os.environ, **tool.variables}, check=True, capture_output=True, timeout=PATIENCE_SECONDS
        )
    except (ToolMissing, OSError, subprocess.SubprocessError) as problem:
        narration.say(f"mmdebstrap is of no use here ({problem}).")
        archive.unlink(missing_ok=True)
        return None
    return archive


def _release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        # No Linux, or one without os-release.
        return {}
