"""The image that scans are measured on: two gzip layers, a Debian with interpreters, and packages of languages.

It is built once and kept; what is measured is compared within one run, so that it may differ from machine to machine.
"""

import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tools.debian import TOOLS, mmdebstrap

FOLDER = TOOLS.parent / "bench"
_INTERPRETERS = "python3,nodejs"
_WHEELS = ("numpy<3", "pandas<4", "scipy<2", "django<6", "requests", "flask", "sqlalchemy", "cryptography", "aiohttp")
_MODULES = ("express@4.16.0", "webpack@5.88.0", "lodash@4.17.15", "eslint@8.50.0")
_LEVEL = 6
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class BenchLayer:
    """A layer in a file, as stored, with the digest of the archive in it."""

    path: Path
    digest: str
    diff_id: str
    size: int


@dataclass(frozen=True)
class BenchImage:
    """Layers with a manifest and a configuration."""

    layers: tuple[BenchLayer, ...]
    config: bytes
    manifest: bytes

    media_type = _MANIFEST

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return _digest(self.manifest)


def base_layer() -> BenchLayer:
    """Debian with Python and Node.js. Raises ToolMissing, or CalledProcessError where it can't be built."""
    return _kept("base", _bootstrap)


def own_layer() -> BenchLayer:
    """Python's and npm's packages of an application."""
    return _kept("own", _application)


def image(*layers: BenchLayer) -> BenchImage:
    """The image of these layers."""
    config = _json(
        {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)},
        "layers": [{"mediaType": _LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
    }
    return BenchImage(layers, config, _json(manifest))


def _kept(name: str, build: Callable[[Path], None]) -> BenchLayer:
    FOLDER.mkdir(parents=True, exist_ok=True)
    blob, noted = FOLDER / f"{name}.tar.gz", FOLDER / f"{name}.json"
    if not noted.exists():
        archive = FOLDER / f"{name}.tar"
        build(archive)
        diff_id = hashlib.sha256()
        with archive.open("rb") as read, gzip.GzipFile(blob, "wb", _LEVEL, mtime=0) as write:
            while block := read.read(1 << 20):
                diff_id.update(block)
                write.write(block)
        archive.unlink()
        noted.write_text(json.dumps({"diff_id": f"sha256:{diff_id.hexdigest()}"}))
    stored = hashlib.sha256()
    with blob.open("rb") as read:
        while block := read.read(1 << 20):
            stored.update(block)
    diff = json.loads(noted.read_text())["diff_id"]
    return BenchLayer(blob, f"sha256:{stored.hexdigest()}", diff, blob.stat().st_size)


def _bootstrap(archive: Path) -> None:
    tool = mmdebstrap()
    options = ["--quiet", "--variant=minbase", "--mode=root", f"--include={_INTERPRETERS}"]
    command = [*tool.command, *options, "bookworm", str(archive)]
    subprocess.run(command, env={**os.environ, **tool.variables}, check=True, capture_output=True)


def _application(archive: Path) -> None:
    folder = FOLDER / "application"
    packages = folder / "usr/local/lib/python3.11/site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(packages)]
    subprocess.run([*pip, *_WHEELS], check=True, capture_output=True)
    if npm := shutil.which("npm"):
        options = ["--prefix", str(folder / "app"), "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([npm, "install", *options, *_MODULES], check=True, capture_output=True)
    with tarfile.open(archive, "w") as written:
        written.add(folder, arcname=".", filter=_as_built)
    shutil.rmtree(folder)


def _as_built(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """As builders write members: whole seconds, which need no extended header."""
    member.mtime = int(member.mtime)
    return member


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
