"""What is read of an image: platforms, layers, links between them; and what is refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scanner.pulling import platforms
from scanner.risk.model import RiskState
from scanner.scan_records import Request, ScanState, Trigger
from scanner.scans import request_scan

from tests.factories.images import (
    DEBIAN_12,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Image,
    Layer,
    attestation,
    debian,
    digest_of,
    dpkg_record,
    file,
    hard_link,
    image,
    index,
    layer,
    layer_of,
    node_module,
    symlink,
    wheel,
)
from tests.factories.scanning import Scanning

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def python(version: str, platform: str = "linux/amd64", **more: Any) -> Image:
    return image(layer(wheel("demo", version)), platform=platform, **more)


async def test_an_index_is_every_image_in_it(bench: Scanning) -> None:
    amd, arm = python("1"), python("2", "linux/arm64/v8")
    whole = index(amd, attestation(amd), arm)
    scan = await bench.scan(whole)
    assert scan.summary is not None
    assert [(one.platform, one.digest) for one in scan.summary.platforms] == [
        ("linux/amd64", amd.digest),
        ("linux/arm64", arm.digest),
    ]
    assert scan.summary.left_out == ()
    for one in (whole, amd, arm):
        assert (await bench.risk(one.digest)).state is RiskState.SCANNED


async def test_nothing_is_left_out_by_annotation_or_platform(bench: Scanning) -> None:
    unknown = {"os": "unknown", "architecture": "unknown"}
    hidden = python("1", named_platform=unknown)
    marked = index(hidden, python("2"), annotations=[{"vnd.docker.reference.type": "attestation-manifest"}])
    scan = await bench.scan(marked)
    assert scan.summary is not None
    assert [one.digest for one in scan.summary.platforms] == [child.digest for child in marked.children]


@pytest.mark.parametrize(
    "named", [{}, {"os": "unknown", "architecture": "unknown"}, {"os": "linux", "architecture": ""}]
)
async def test_a_missing_platform_is_read_from_the_configuration(bench: Scanning, named: Mapping[str, str]) -> None:
    scan = await bench.scan(index(python("1", "linux/riscv64", named_platform=named)))
    assert scan.summary is not None
    assert [one.platform for one in scan.summary.platforms] == ["linux/riscv64"]


async def test_an_index_in_an_index(bench: Scanning) -> None:
    inner = index(python("1"))
    scan = await bench.scan(index(inner, python("2", "linux/arm64")))
    assert scan.summary is not None
    assert [one.platform for one in scan.summary.platforms] == ["linux/amd64", "linux/arm64"]


async def test_platforms_that_a_target_leaves_out_are_missing(bench: Scanning) -> None:
    whole = index(python("1"), python("2", "linux/arm64"), python("3", "linux/arm/v7"))
    bench.push(whole)
    request = Request(bench.repository(), whole.digest, Trigger.MANUAL, platforms=("linux/amd64", "linux/arm"))
    async with bench.store.begin() as unit:
        first = await request_scan(unit, request, bench.clock)
    await bench.do_all()
    scan = await bench.get(first.scan_id)
    assert scan.summary is not None
    assert scan.summary.left_out == ("linux/arm64",)
    risk = await bench.risk(whole.digest)
    assert (risk.state, "linux/arm64" in risk.reasons[0]) == (RiskState.INCOMPLETE, True)
    async with bench.store.begin() as unit:
        assert (await request_scan(unit, request, bench.clock)).scan_id == first.scan_id
    assert (await bench.ask(whole.digest)).scan_id != first.scan_id
    await bench.do_all()
    assert (await bench.risk(whole.digest)).state is RiskState.SCANNED


async def test_a_layer_that_several_manifests_share_is_pulled_once(bench: Scanning) -> None:
    base = layer(wheel("base", "1"))
    whole = index(
        image(base, layer(wheel("a", "1"))), image(base, layer(wheel("b", "1")), platform="linux/arm64"), image(base)
    )
    await bench.scan(whole)
    pulled = [request.path for request in bench.registry.requests if request.path.endswith(base.digest)]
    assert len(pulled) == 1


async def test_links_to_what_was_passed_over_are_read_in_a_second_pass(bench: Scanning) -> None:
    metadata = "Metadata-Version: 2.1\nName: linked\nVersion: 1\n"
    package = json.dumps({"name": "stored", "version": "2"})
    made = image(
        layer(file("store/one", metadata), file("store/two", package), wheel("plain", "1")),
        layer(symlink("app/linked-1.dist-info/METADATA", "/store/one")),
        layer(hard_link("app/node_modules/stored/package.json", "store/two"), node_module("plain", "1")),
    )
    scan = await bench.scan(made)
    assert scan.summary is not None
    assert scan.summary.platforms[0].packages == {"PyPI": 2, "npm": 2}
    assert (await bench.risk(made.digest)).unreadable == 0


def typed(media_type: str, made: Layer, **more: Any) -> Image:
    """An image whose manifest says that its one layer is of this type."""
    return image(made, manifest={"layers": [made.descriptor | {"mediaType": media_type} | more]})


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
@pytest.mark.parametrize(
    "named", [f"{OCI_LAYER}+gzip", f"{OCI_LAYER}+zstd", OCI_LAYER, f"{OCI_LAYER}+new", DOCKER_LAYER]
)
async def test_the_bytes_of_a_layer_decide_not_its_media_type(bench: Scanning, named: str, compression: str) -> None:
    scan = await bench.scan(typed(named, layer(wheel("demo", "1"), compression=compression)))
    assert scan.summary is not None
    assert scan.summary.platforms[0].packages == {"PyPI": 1}


FOREIGN = [
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
]


@pytest.mark.parametrize("media_type", FOREIGN)
async def test_foreign_layers_are_read_where_the_registry_holds_them(bench: Scanning, media_type: str) -> None:
    made = layer(wheel("demo", "1"))
    elsewhere = f"http://{bench.registry.host}/elsewhere"
    foreign = typed(media_type, made, urls=[elsewhere])
    scan = await bench.scan(foreign)
    assert scan.summary is not None
    assert scan.summary.platforms[0].packages == {"PyPI": 1}
    del bench.registry.blobs["app", made.digest]
    scan = await bench.ask(foreign.digest, force=True)
    await bench.do_all()
    scan = await bench.get(scan.scan_id)
    assert scan.failure is not None
    assert scan.failure.reason == "UNSUPPORTED_MANIFEST"
    assert "foreign" in scan.failure.message
    assert "/elsewhere" not in [request.path for request in bench.registry.requests]


async def test_an_image_without_layers_is_read(bench: Scanning) -> None:
    made = image()
    scan = await bench.scan(made)
    assert scan.state is ScanState.SUCCEEDED
    assert (await bench.risk(made.digest)).state is RiskState.UNSUPPORTED


def strange(media_type: str) -> Image:
    body = layer_of(b"{}", "")
    descriptor = body.descriptor | {"mediaType": media_type}
    return image(body, manifest={"layers": [descriptor]})


def mixed() -> Image:
    good, other = layer(wheel("a", "1")), layer_of(b"{}", "")
    return image(good, other, manifest={"layers": [good.descriptor, other.descriptor | {"mediaType": "text/x"}]})


def nested(depth: int) -> Image:
    made = index(python("1"))
    for _ in range(depth):
        made = index(made)
    return made


def _config(**config: Any) -> Image:
    return image(layer(wheel("a", "1")), config=config)


UNREADABLE: Mapping[str, tuple[Image, str, str]] = {
    "artifact": (strange("application/vnd.in-toto+json"), "UNSUPPORTED_MANIFEST", "artifact"),
    "mixed": (mixed(), "UNSUPPORTED_MANIFEST", "text/x"),
    "schema 1": (
        Image(b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        "UNSUPPORTED_MANIFEST",
        "v1+prettyjws",
    ),
    "broken manifest": (Image(b'{"schemaVersion": 2}', OCI_MANIFEST), "UNSUPPORTED_MANIFEST", "config"),
    "too deep": (nested(4), "LIMIT_EXCEEDED", "the bound `nesting`"),
    "diff id of another": (
        _config(rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}),
        "DIGEST_MISMATCH",
        "unpacks to",
    ),
    "too few diff ids": (_config(rootfs={"type": "layers", "diff_ids": []}), "UNSUPPORTED_MANIFEST", "names 0"),
    "sha512": (_config(rootfs={"diff_ids": ["sha512:" + "0" * 128]}), "UNSUPPORTED_MANIFEST", "sha256"),
    "broken configuration": (_config(os=7), "UNSUPPORTED_MANIFEST", "configuration"),
    "no archive": (image(layer_of(b"noise" * 500)), "LAYER_MALFORMED", "In the layer sha256:"),
    "truncated": (image(layer_of(layer(wheel("a", "1")).archive[:700])), "LAYER_TRUNCATED", "middle of an entry"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_can_not_be_read_fails_with_a_reason(bench: Scanning, name: str) -> None:
    made, reason, says = UNREADABLE[name]
    scan = await bench.scan(made)
    assert scan.state is ScanState.FAILED
    assert scan.failure is not None
    assert scan.failure.reason == reason
    assert says in scan.failure.message
    risk = await bench.risk(made.digest)
    assert risk.state is RiskState.FAILED
    assert says in risk.reasons[0]


async def test_bounds_of_an_index(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "MOST_MANIFESTS", 2)
    scan = await bench.scan(index(python("1"), python("2"), python("3")))
    assert scan.failure is not None
    assert "the bound `manifests`" in scan.failure.message
    monkeypatch.undo()
    monkeypatch.setattr(platforms, "MOST_LAYERS", 1)
    scan = await bench.scan(index(python("1"), python("2")))
    assert scan.failure is not None
    assert "the bound `layers`" in scan.failure.message


async def test_a_configuration_of_a_strange_type_is_read_as_one(bench: Scanning) -> None:
    made = python("1")
    body = json.loads(made.body)
    assert body["config"]["mediaType"] == OCI_CONFIG
    body["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    other = Image(json.dumps(body).encode(), OCI_MANIFEST, blobs=made.blobs)
    assert (await bench.scan(other)).state is ScanState.SUCCEEDED


async def test_created_is_a_claim_that_may_be_nonsense(bench: Scanning) -> None:
    for created in ("yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"):
        assert (await bench.scan(python(created.replace(":", "").replace("-", ""), created=created))).state is (
            ScanState.SUCCEEDED
        )


async def test_debian(bench: Scanning) -> None:
    made = debian()
    assert (await bench.scan(made)).state is ScanState.SUCCEEDED
    assert (await bench.risk(made.digest)).feed_set == "Debian:12"


def pulled(bench: Scanning) -> list[str]:
    """The digests of the blobs that the registry was asked for."""
    paths = [request.path for request in bench.registry.requests if "/blobs/" in request.path]
    return [path.rpartition("/")[2] for path in paths]


async def test_a_second_image_on_the_same_base_reads_only_its_own_layers(bench: Scanning, tmp_path: Path) -> None:
    base, own = layer(wheel("base", "1")), layer(wheel("own", "1"))
    bench.cache_layers(tmp_path / "layers")
    await bench.scan(image(base))
    bench.registry.requests.clear()
    scan = await bench.scan(image(base, own), path="another")
    assert scan.summary is not None
    assert scan.summary.platforms[0].packages == {"PyPI": 2}
    assert scan.summary.size == len(own.blob)
    assert digest_of(base.blob) not in pulled(bench)
    assert digest_of(own.blob) in pulled(bench)


async def test_a_configuration_that_claims_another_layer_fails_though_the_layer_is_cached(
    bench: Scanning, tmp_path: Path
) -> None:
    base, other = layer(wheel("base", "1")), layer(wheel("other", "1"))
    bench.cache_layers(tmp_path / "layers")
    await bench.scan(image(base))
    lying = image(replace(base, archive=other.archive))
    scan = await bench.scan(lying, path="another")
    assert scan.failure is not None
    assert scan.failure.reason == "DIGEST_MISMATCH"


async def test_directories_that_are_links_do_not_have_layers_read_twice(bench: Scanning) -> None:
    merged = [
        symlink("lib", "usr/lib"),
        symlink("etc/os-release", "../usr/lib/os-release"),
        symlink("var/lib", "../lib"),
    ]
    base = layer(*merged, file("usr/lib/os-release", DEBIAN_12), file("lib/dpkg/status", dpkg_record("a", "1")))
    scan = await bench.scan(image(base))
    assert scan.summary is not None
    assert scan.summary.platforms[0].packages == {"Debian": 1}
    assert pulled(bench).count(digest_of(base.blob)) == 1
