"""Other ways to read the layers of an image: the least that it can cost, Python's own, and peers where they are."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scanner.layers.decompression import decompress
from scanner.layers.hashing import HashingThread
from scanner.layers.limits import Limits

from tests.bench.costs import Cost
from tests.bench.images import BenchImage, BenchLayer

_PEERS = {
    "syft": ("scan", "-q", "-o", "cyclonedx-json", "oci-dir:{layout}"),
    "trivy": ("image", "-q", "--format", "cyclonedx", "--input", "{layout}"),
    "osv-scanner": ("scan", "image", "--offline", "--archive", "{layout}"),
}


def limit(layers: Sequence[BenchLayer]) -> None:
    """Decompress by isal and digest both forms, as many layers at a time as the scanner reads, and nothing else."""
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(_digest_both, layers))


def by_tarfile(layers: Sequence[BenchLayer]) -> None:
    """Walk the members by Python's own reader, and digest nothing."""
    for layer in layers:
        with tarfile.open(layer.path, "r|gz") as archive:
            for _ in archive:
                """Passed by."""


def peers() -> list[str]:
    """The peers that are on PATH."""
    return [name for name in _PEERS if shutil.which(name)]


def by_peer(name: str, layout: Path) -> Cost:
    """Let a peer list the packages of an image in an OCI layout."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [name, *(argument.format(layout=layout) for argument in _PEERS[name])]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - wall, cpu)


def write_layout(image: BenchImage, folder: Path) -> None:
    """Write an image as an OCI layout, its layers as links."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    for layer in image.layers:
        os.link(layer.path, blobs / layer.digest.removeprefix("sha256:"))
    for content in (image.config, image.manifest):
        (blobs / hashlib.sha256(content).hexdigest()).write_bytes(content)
    entry = {"mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest)}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _digest_both(layer: BenchLayer) -> None:
    stored, unpacked = hashlib.sha256(), hashlib.sha256()
    with HashingThread() as hashing:

        def compressed() -> Iterator[bytes]:
            with layer.path.open("rb") as file:
                while block := file.read(1 << 20):
                    hashing.update(stored, block)
                    yield block

        for block in decompress(compressed(), Limits()):
            hashing.update(unpacked, block)
    assert f"sha256:{unpacked.hexdigest()}" == layer.diff_id
