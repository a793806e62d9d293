"""Reading an image: each layer once, whichever manifests share it, and an inventory of each manifest."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from chassis.workers import Workers
from registry.errors import BlobNotFound
from registry.manifests import Descriptor, is_foreign_layer

from scanner.failures import DigestMismatch, LimitExceeded, ScanFailure, UnsupportedManifest
from scanner.inventory.bases import BaseImage, layer_origins
from scanner.inventory.model import Inventory, PlatformInventory
from scanner.inventory.taking import keep, keep_also, needed_besides, take_inventory
from scanner.layers.layer import Layer
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree
from scanner.layers.wishes import Keep
from scanner.pulling.platforms import Expansion, PlatformManifest
from scanner.pulling.progress import Progress
from scanner.pulling.registry import Source
from scanner.pulling.sharing import SharedLayers
from scanner.pulling.streaming import read_in_thread
from scanner.side_by_side import all_or_none

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Reads images; `parallel` layers of one image at a time. `bases` are base images to tell layers of."""

    source: Source
    workers: Workers
    shared: SharedLayers
    limits: Limits = field(default_factory=Limits)
    parallel: int = 2
    bases: tuple[BaseImage, ...] = ()

    async def read(self, repository: str, image: Expansion, progress: Progress) -> tuple[PlatformInventory, ...]:
        """The inventory of every manifest of an image.

        Raises what the source raises; DigestMismatch, LayerTruncated, LayerMalformed, LimitExceeded,
        UnsupportedManifest.
        """
        progress.begin(sum(layer.size for layer in image.layers.values()), len(image.layers))
        uses = Counter[str](digest for one in image.manifests for digest in {layer.digest for layer in one.layers})
        shared: dict[str, Layer] = {}
        inventories = []
        for manifest in image.manifests:
            missing = [layer for layer in manifest.layers if layer.digest not in shared]
            layers = shared | await self._layers(repository, missing, None, progress, _weight(shared))
            shared = {digest: layer for digest, layer in layers.items() if uses[digest] > 1}
            inventory = await self._inventory(repository, manifest, layers, progress)
            inventories.append(self._platform_inventory(manifest, inventory))
        return tuple(inventories)

    def _platform_inventory(self, manifest: PlatformManifest, inventory: Inventory) -> PlatformInventory:
        layers, config = tuple(layer.digest for layer in manifest.layers), manifest.config
        return PlatformInventory(
            platform=manifest.platform,
            manifest_digest=manifest.digest,
            config_digest=manifest.config_digest,
            layers=layers,
            created=config.created,
            inventory=inventory,
            origins=layer_origins(layers, config.diff_ids, config.commands, self.bases),
            base=manifest.base,
        )

    async def _inventory(
        self, repository: str, manifest: PlatformManifest, layers: Mapping[str, Layer], progress: Progress
    ) -> Inventory:
        tree = await self.workers.run(_assemble, manifest, layers)
        besides = await self.workers.run(needed_besides, tree)
        if besides:
            progress.begin(sum(layer.size for layer in manifest.layers), len(manifest.layers))
            again = await self._layers(repository, manifest.layers, keep_also(besides), progress)
            tree = await self.workers.run(_assemble, manifest, again)
        return await self.workers.run(take_inventory, tree)

    async def _layers(
        self, repository: str, descriptors: Sequence[Descriptor], more: Keep | None, progress: Progress, weight: int = 0
    ) -> dict[str, Layer]:
        """Read layers, each once, with `more` than usual; `weight` is what others take that are held beside them."""
        once = {descriptor.digest: descriptor for descriptor in descriptors}
        room = asyncio.Semaphore(self.parallel)

        async def read(descriptor: Descriptor) -> Layer:
            nonlocal weight
            async with room:
                layer = await (
                    self._layer(repository, descriptor, more, progress)
                    if more
                    else self._shared_layer(repository, descriptor, progress)
                )
                weight += layer.weight
                if weight > self.limits.image:
                    raise LimitExceeded(f"The layers take more than {self.limits.image} bytes, the bound `image`.")
                return layer

        layers = await all_or_none([read(descriptor) for descriptor in once.values()])
        return dict(zip(once, layers, strict=True))

    async def _shared_layer(self, repository: str, descriptor: Descriptor, progress: Progress) -> Layer:
        layer, held = await self.shared.get(
            descriptor.digest, lambda: self._layer(repository, descriptor, keep, progress)
        )
        if held:
            progress.spared(descriptor.size)
        return _checked(layer, descriptor)

    async def _layer(self, repository: str, descriptor: Descriptor, wanted: Keep, progress: Progress) -> Layer:
        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in self.source.stream(repository, descriptor.digest, descriptor.size):
                progress.pulled(len(chunk))
                yield chunk

        try:
            layer = await read_in_thread(chunks(), lambda stored: read_layer(stored, wanted, self.limits), self.workers)
        except BlobNotFound as absent:
            if not is_foreign_layer(descriptor.media_type):
                raise
            raise UnsupportedManifest(
                f"The registry does not hold the layer {descriptor.digest}, which is a foreign one: only who runs the "
                "image fetches it, from where its manifest says. Push the image with its foreign layers to scan it."
            ) from absent
        except ScanFailure as failure:
            raise type(failure)(f"In the layer {descriptor.digest}: {failure.message}") from failure
        progress.read()
        return _checked(layer, descriptor)


def _checked(layer: Layer, descriptor: Descriptor) -> Layer:
    if (layer.digest, layer.size) != (descriptor.digest, descriptor.size):
        raise DigestMismatch(
            f"The layer {descriptor.digest} came as {layer.size} bytes of {layer.digest}, not {descriptor.size}."
        )
    return layer


def _weight(layers: Mapping[str, Layer]) -> int:
    return sum(layer.weight for layer in layers.values())


def _assemble(manifest: PlatformManifest, layers: Mapping[str, Layer]) -> Tree:
    tree = Tree()
    for descriptor, diff_id in zip(manifest.layers, manifest.config.diff_ids, strict=True):
        layer = layers[descriptor.digest]
        if layer.diff_id != diff_id:
            raise DigestMismatch(
                f"The layer {layer.digest} unpacks to {layer.diff_id}; the image's configuration says {diff_id}."
            )
        tree.apply(layer)
    return tree
