"""How long the scanner takes for an image, against the least that reading it can cost: `make bench-scan`.

Everything is compared within one run, in rounds that take turns; what is printed are medians, and ratios of them.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hallmark.scanner.v1 import scan_pb2, scan_service_pb2, scan_service_pb2_grpc
from registry.client import RegistryClient
from registry.settings import RegistrySettings

from tests.bench.costs import Cost, median, own_cost, peak_memory, process_cpu
from tests.bench.images import BenchImage, base_layer, image, own_layer
from tests.bench.readers import by_peer, by_tarfile, limit, peers, write_layout
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.fixtures.registries import running_registry
from tests.tools.debian import docker_registry

_ROUNDS = 3
_REPOSITORY = "bench"


@dataclass
class Bench:
    """A scanner that runs, before a registry, with the folder of its layer cache."""

    host: str
    scanner: RunningScanner
    stub: "scan_service_pb2_grpc.ScanServiceAsyncStub"
    cache: Path
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    def note(self, name: str, cost: Cost) -> None:
        """Keep a cost."""
        self.costs.setdefault(name, []).append(cost)

    def forget_layers(self) -> None:
        """Empty the cache."""
        for file in self.cache.iterdir():
            file.unlink()

    async def scan(self, name: str, wanted: BenchImage) -> scan_pb2.Scan:
        """Have an image scanned, whatever was before, and keep what it cost."""
        pid = self.scanner.process.pid
        wall, cpu = time.perf_counter(), process_cpu(pid)
        reference = f"{self.host}/{_REPOSITORY}@{wanted.digest}"
        asked = await self.stub.ScanImage(scan_service_pb2.ScanImageRequest(image=reference, force=True))
        request = scan_service_pb2.WatchScanRequest(scan_id=asked.scan.scan_id)
        async for told in self.stub.WatchScan(request):
            ended = told.scan
        self.note(name, Cost(time.perf_counter() - wall, process_cpu(pid) - cpu))
        assert ended.state == scan_pb2.SCAN_STATE_SUCCEEDED, ended
        return ended


async def main() -> None:
    """Measure, and print."""
    base, own = base_layer(), own_layer()
    whole, below, alone = image(base, own), image(base), image(own)
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            bench = await _start(stack, Path(folder), (whole, below, alone))
            write_layout(whole, Path(folder) / "layout")
            for _ in range(_ROUNDS):
                ended = await _round(bench, whole, below, alone, Path(folder) / "layout")
            _print(bench, whole, ended)


async def _start(stack: AsyncExitStack, folder: Path, images: tuple[BenchImage, ...]) -> Bench:
    (folder / "registry").mkdir()
    host = stack.enter_context(running_registry(docker_registry(), folder / "registry"))
    await _push(host, images)
    home = ScannerHome(folder / "scanner", [host])
    cache = folder / "layers"
    with home.config.open("a") as config:
        config.write(f'[cache]\nfolder = "{cache}"\n')
    code, said = await home.run("migrate")
    assert code == 0, said
    scanner = await stack.enter_async_context(home.start())
    stub = scan_service_pb2_grpc.ScanServiceStub(await scanner.channel("developer"))
    return Bench(host, scanner, stub, cache)


async def _push(host: str, images: tuple[BenchImage, ...]) -> None:
    client = RegistryClient([RegistrySettings(host=host, plain_http=True)])
    try:
        for one in images:
            for blob in (*(layer.path.read_bytes() for layer in one.layers), one.config):
                await client.push_blob(host, _REPOSITORY, blob)
            await client.put_manifest(host, _REPOSITORY, one.digest, one.media_type, one.manifest)
    finally:
        await client.close()


async def _round(bench: Bench, whole: BenchImage, below: BenchImage, alone: BenchImage, layout: Path) -> scan_pb2.Scan:
    bench.note("limit", own_cost(lambda: limit(whole.layers)))
    bench.forget_layers()
    ended = await bench.scan("scan, cold", whole)
    await bench.scan("scan, cached", whole)
    bench.forget_layers()
    await bench.scan("scan, base alone", below)
    await bench.scan("scan, base cached", whole)
    bench.note("limit, own layer", own_cost(lambda: limit(alone.layers)))
    bench.note("tarfile", own_cost(lambda: by_tarfile(whole.layers)))
    for name in peers():
        bench.note(name, by_peer(name, layout))
    return ended


def _print(bench: Bench, whole: BenchImage, ended: scan_pb2.Scan) -> None:
    medians = {name: median(costs) for name, costs in bench.costs.items()}
    least = medians["limit"]
    sizes = ", ".join(f"{layer.size / 1e6:.0f} MB" for layer in whole.layers)
    packages = ", ".join(f"{count} {name}" for name, count in sorted(ended.platforms[0].packages.items()))
    print(f"An image of {len(whole.layers)} layers ({sizes}) with {packages}; medians of {_ROUNDS} rounds.\n")
    print(f"{'':22}{'wall s':>9}{'CPU s':>9}{'x limit':>9}{'x CPU':>9}")
    for name, cost in medians.items():
        ratios = f"{cost.wall / least.wall:9.2f}{cost.cpu / least.cpu:9.2f}"
        print(f"{name:22}{cost.wall:9.2f}{cost.cpu:9.2f}{ratios}")
    second = medians["scan, base cached"] - medians["scan, cached"]
    own = medians["limit, own layer"]
    print(f"\nsecond image on a base, less a cached rescan: {second.wall / own.wall:.2f} x the limit of its own layer")
    print(f"peak memory of the scanner: {peak_memory(bench.scanner.process.pid) / 1e6:.0f} MB")
    if not peers():
        print("not compared: syft, trivy and osv-scanner are not on PATH")


if __name__ == "__main__":
    asyncio.run(main())
