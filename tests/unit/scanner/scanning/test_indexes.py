"""Indexes and manifests of each format that registries hold: all that a runtime could run is read."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from scanner.risk.model import RiskState
from scanner.scan_records import Scan

from tests.factories.images import (
    OCI_INDEX,
    OCI_MANIFEST,
    Image,
    Layer,
    attestation,
    digest_of,
    image,
    index,
    layer,
    layer_of,
    wheel,
)
from tests.factories.scanning import Scanning

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
ONE, TWO = layer(wheel("one", "1")), layer(wheel("two", "2"))


def remade(made: Image, media_type: str, *, without: str = "", **members: Any) -> Image:
    """The same image with other members of its manifest; `without` one."""
    body = json.loads(made.body) | {"mediaType": media_type} | members
    body.pop(without, None)
    return Image(json.dumps(body).encode(), media_type, made.platform, made.blobs, made.children)


def docker(made: Layer, platform: str) -> Image:
    """An image as Docker pushes it: schema 2."""
    plain = image(made, platform=platform, manifest={"layers": [made.descriptor | {"mediaType": DOCKER_LAYER}]})
    config = json.loads(plain.body)["config"] | {"mediaType": DOCKER_CONFIG}
    return remade(plain, DOCKER_MANIFEST, config=config)


def oci_1_0(made: Layer, platform: str) -> Image:
    """An image as OCI's first version has it: a manifest need not say what it is."""
    return remade(image(made, platform=platform), OCI_MANIFEST, without="mediaType")


def oci_1_1(made: Layer, platform: str) -> Image:
    """An image as OCI 1.1 has it, with members that came with it."""
    subject = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "1" * 64, "size": 7}
    return remade(image(made, platform=platform), OCI_MANIFEST, artifactType="application/x", subject=subject)


def described(scan: Scan) -> list[tuple[str, str, Mapping[str, int]]]:
    assert scan.summary is not None, scan.failure
    return [(one.platform, one.digest, one.packages) for one in scan.summary.platforms]


@pytest.mark.parametrize("make", [docker, oci_1_0, oci_1_1])
@pytest.mark.parametrize("list_type", [OCI_INDEX, DOCKER_LIST, ""])
async def test_each_format_of_image_and_index(bench: Scanning, make: Any, list_type: str) -> None:
    one, two = make(ONE, "linux/amd64"), make(TWO, "linux/arm/v7")
    whole = index(one, two)
    whole = remade(whole, list_type) if list_type else remade(whole, OCI_INDEX, without="mediaType")
    assert described(await bench.scan(whole)) == [
        ("linux/amd64", one.digest, {"PyPI": 1}),
        ("linux/arm/v7", two.digest, {"PyPI": 1}),
    ]
    assert described(await bench.scan(one, path="alone")) == [("linux/amd64", one.digest, {"PyPI": 1})]


async def test_formats_mixed_and_nested(bench: Scanning) -> None:
    inner = remade(index(docker(ONE, "linux/amd64")), DOCKER_LIST)
    whole = index(remade(index(inner), OCI_INDEX), oci_1_1(TWO, "windows/amd64"))
    assert [platform for platform, _, _ in described(await bench.scan(whole))] == ["linux/amd64", "windows/amd64"]


def artifact(media_type: str) -> Image:
    """What OCI 1.1 has of things that are no images, in an index beside those."""
    blob = layer_of(b"{}", "")
    made = image(blob, manifest={"layers": [blob.descriptor | {"mediaType": media_type}], "config": EMPTY})
    return remade(Image(made.body, made.media_type, {}, made.blobs), OCI_MANIFEST, artifactType="application/x")


@pytest.mark.parametrize("media_type", ["application/spdx+json", "application/vnd.oci.empty.v1+json", "text/plain"])
async def test_artifacts_beside_images_are_left_out(bench: Scanning, media_type: str) -> None:
    made = image(ONE)
    whole = index(artifact(media_type), made, attestation(made))
    assert [digest for _, digest, _ in described(await bench.scan(whole))] == [made.digest]


async def test_an_artifact_by_its_type_with_the_layers_of_an_image_is_read(bench: Scanning) -> None:
    hidden = remade(image(ONE), OCI_MANIFEST, artifactType="application/vnd.example.sbom")
    unnamed = Image(hidden.body, hidden.media_type, {"os": "unknown", "architecture": "unknown"}, hidden.blobs)
    assert [digest for _, digest, _ in described(await bench.scan(index(unnamed)))] == [hidden.digest]


@pytest.mark.parametrize("named", [{"os": "linux", "architecture": "amd64"}, {}], ids=["named", "unnamed"])
async def test_an_image_whose_layers_are_given_out_as_attestations_is_never_left_out(
    bench: Scanning, named: dict[str, str]
) -> None:
    hidden = image(Layer(ONE.blob, ONE.archive, "application/vnd.in-toto+json"), named_platform=named)
    whole = index(hidden, image(TWO))
    scan = await bench.scan(whole)
    assert scan.failure is not None
    assert hidden.digest in scan.failure.message
    assert (await bench.risk(whole.digest)).state is RiskState.FAILED


@pytest.mark.parametrize("whole", [index(), index(attestation(image(ONE))), index(index())], ids=range(3))
async def test_an_index_without_an_image_is_never_clean(bench: Scanning, whole: Image) -> None:
    assert described(await bench.scan(whole)) == []
    risk = await bench.risk(whole.digest)
    assert risk.state is RiskState.UNSUPPORTED
    assert "no image" in risk.reasons[0]


async def test_a_manifest_that_is_named_twice_is_read_once(bench: Scanning) -> None:
    made = image(ONE)
    assert len(described(await bench.scan(index(made, made, index(made))))) == 1


async def test_one_platform_twice_is_two_images(bench: Scanning) -> None:
    assert len(described(await bench.scan(index(image(ONE), image(TWO))))) == 2


async def test_a_child_that_fails_fails_the_index(bench: Scanning) -> None:
    broken = image(layer_of(b"noise" * 500), platform="linux/arm64")
    scan = await bench.scan(index(image(ONE), broken))
    assert scan.failure is not None
    assert scan.failure.reason == "LAYER_MALFORMED"


async def test_a_manifest_that_is_not_what_its_content_type_says(bench: Scanning) -> None:
    body = image(ONE).body
    lying = Image(body, DOCKER_MANIFEST, blobs=image(ONE).blobs)
    scan = await bench.scan(lying)
    assert scan.failure is not None
    assert scan.failure.reason == "UNSUPPORTED_MANIFEST"
    both = remade(image(ONE), OCI_MANIFEST, manifests=[])
    scan = await bench.scan(both)
    assert scan.failure is not None
    assert "mixes" in scan.failure.message
