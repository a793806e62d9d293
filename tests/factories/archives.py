"""Archives of images, as tools write them."""

import json
from collections.abc import Iterable, Mapping, Sequence

from tests.factories.images import OCI_INDEX, Image, Layer, Member, digest_of, file, tar

REF_NAME = "org.opencontainers.image.ref.name"


def blob_path(digest: str) -> str:
    """Where a layout has a blob."""
    return f"blobs/{digest.replace(':', '/')}"


def layout_members(*images: Image, names: Sequence[str] = (), without: Iterable[str] = ()) -> list[Member]:
    """The files of an OCI image layout of these images, those of some digests left out."""
    blobs: dict[str, bytes] = {}
    descriptors = []
    for place, image in enumerate(images):
        blobs |= image.all_blobs() | {digest: body for digest, (_, body) in image.manifests().items()}
        named = {"annotations": {REF_NAME: names[place]}} if names else {}
        descriptors.append(image.descriptor | named)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
    return [
        file("oci-layout", '{"imageLayoutVersion": "1.0.0"}'),
        file("index.json", json.dumps(index)),
        *(file(blob_path(digest), blob) for digest, blob in blobs.items() if digest not in set(without)),
    ]


def layout(*images: Image, names: Sequence[str] = (), without: Iterable[str] = ()) -> bytes:
    """An OCI image layout as an archive."""
    return tar(layout_members(*images, names=names, without=without))


def saved_members(layers: Sequence[Layer], tags: Sequence[str] = (), **config: object) -> list[Member]:
    """The files that `docker save` wrote of an image before it wrote layouts."""
    described = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"diff_ids": [one.diff_id for one in layers]},
    } | config
    body = json.dumps(described).encode()
    name = digest_of(body).removeprefix("sha256:")
    paths = [f"{one.diff_id.removeprefix('sha256:')}/layer.tar" for one in layers]
    listed: Mapping[str, object] = {"Config": f"{name}.json", "RepoTags": list(tags) or None, "Layers": paths}
    bodies = {path: one.archive for path, one in zip(paths, layers, strict=True)}
    return [
        *(file(path, archive) for path, archive in bodies.items()),
        file(f"{name}.json", body),
        file("manifest.json", json.dumps([listed])),
    ]
