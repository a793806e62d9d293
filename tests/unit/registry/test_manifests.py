"""Manifests are read in one way or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.manifests import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageManifest,
    Index,
    InvalidManifest,
    Platform,
    UnsupportedManifest,
    is_never_run,
    parse_manifest,
)

DIGEST = "sha256:" + "ab" * 32
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 3}
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 2}


def image(**changes: Any) -> bytes:
    content = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]} | changes
    return json.dumps({name: value for name, value in content.items() if value is not None}).encode()


def test_an_image_manifest_is_read() -> None:
    manifest = parse_manifest(OCI_MANIFEST, image())
    assert isinstance(manifest, ImageManifest)
    assert [layer.size for layer in manifest.layers] == [3]


def test_an_index_is_read_with_its_platforms() -> None:
    entry = LAYER | {"mediaType": OCI_MANIFEST, "platform": {"os": "linux", "architecture": "arm64"}}
    index = parse_manifest(OCI_INDEX, json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
    assert isinstance(index, Index)
    assert index.manifests[0].platform is not None
    assert index.manifests[0].platform.architecture == "arm64"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"schemaVersion": 2, "schemaVersion": 2}',
        image(config=None),
        image(manifests=[]),
        image(mediaType=DOCKER_MANIFEST),
        image(layers=[LAYER | {"size": -1}]),
        image(layers=[LAYER | {"size": True}]),
        image(layers=[LAYER | {"digest": "sha256:../.."}]),
        image(layers=[LAYER] * 1001),
        image(annotations={"a": 1}),
        image(subject="x"),
        b'{"a":' * 5000,
        image(annotations={"a": "x" * (5 << 20)}),
        image(Layers=[]),
        image(Manifests=[]),
        image(**{"layer\u017f": []}),
        image(layers=[LAYER | {"Digest": DIGEST}]),
        image(annotations={"a": "\ud800"}),
    ],
    ids=range(20),
)
def test_a_malformed_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(OCI_MANIFEST, body)


def test_schema_1_is_refused_as_unsupported() -> None:
    with pytest.raises(UnsupportedManifest, match="schema 2"):
        parse_manifest("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}")


@given(st.binary(max_size=300))
def test_garbage_gives_a_typed_refusal(body: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(OCI_MANIFEST, body)


UNKNOWN, LINUX = Platform("unknown", "unknown"), Platform("linux", "amd64")
STATEMENT = LAYER | {"mediaType": "application/vnd.in-toto+json"}
SBOM_CONFIG = CONFIG | {"mediaType": "application/vnd.oci.empty.v1+json"}


@pytest.mark.parametrize(
    ("layers", "config", "named", "never"),
    [
        ([STATEMENT], CONFIG, UNKNOWN, True),
        ([STATEMENT], CONFIG, LINUX, False),
        ([STATEMENT], CONFIG, None, False),
        ([STATEMENT], SBOM_CONFIG, None, True),
        ([STATEMENT], CONFIG | {"mediaType": "Application/vnd.OCI.image.config.v1+json"}, LINUX, False),
        ([STATEMENT], CONFIG | {"mediaType": "application/octet-stream"}, LINUX, False),
        ([STATEMENT, LAYER], SBOM_CONFIG, UNKNOWN, False),
        ([], SBOM_CONFIG, UNKNOWN, False),
    ],
)
def test_what_no_runtime_runs(layers: list[Any], config: dict[str, Any], named: Platform | None, never: bool) -> None:
    manifest = parse_manifest(OCI_MANIFEST, image(layers=layers, config=config))
    assert isinstance(manifest, ImageManifest)
    assert is_never_run(manifest, named) is never
