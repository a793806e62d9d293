"""Registries that are broken or hostile, wherever in a scan they are: a reason that says what and where."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from scanner.layers.limits import Limits
from scanner.risk.model import RiskState
from scanner.runner import Bounds
from scanner.scan_records import Request, Scan, ScanState, Trigger
from scanner.scans import request_scan

from tests.factories.images import OCI_INDEX, OCI_MANIFEST, Image, image, index, layer, wheel
from tests.factories.scanning import Scanning, scanning
from tests.fakes.registry import Fault, hang, status

LAYER = layer(wheel("demo", "1"))
CHILD = image(LAYER)
WHOLE = index(CHILD)
CONFIG = next(digest for digest in CHILD.blobs if digest != LAYER.digest)
PLACES = {
    "index": f"manifests/{WHOLE.digest}",
    "manifest": f"manifests/{CHILD.digest}",
    "configuration": f"blobs/{CONFIG}",
    "layer": f"blobs/{LAYER.digest}",
}
everywhere = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


async def scan_with(bench: Scanning, place: str, fault: Fault) -> Scan:
    bench.registry.faults["GET", f"/v2/app/{place}"] = fault
    return await bench.scan(WHOLE)


def reason_of(scan: Scan) -> str:
    assert scan.state is ScanState.FAILED
    assert scan.failure is not None
    assert len(scan.failure.message.encode()) < 1000
    return scan.failure.reason


def sending(write: Callable[[web.StreamResponse], Awaitable[None]], **headers: str) -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": OCI_MANIFEST, **headers})
        await response.prepare(request)
        try:
            await write(response)
            if request.transport is not None:
                request.transport.close()
        except ConnectionError:
            """The scanner left."""
        return response

    return answer


async def endlessly(response: web.StreamResponse) -> None:
    while True:
        await response.write(bytes(1 << 16))


async def in_part(response: web.StreamResponse) -> None:
    await response.write(b"{")


async def something_else(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"{}", content_type=OCI_MANIFEST)


async def elsewhere(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "http://elsewhere.example/"})


async def token_elsewhere(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://elsewhere.example/token"'})


FAULTS: dict[str, tuple[Fault, str]] = {
    "401": (status(401, WWW_Authenticate='Basic realm="x"'), "REGISTRY_UNAUTHORIZED"),
    "401 without a demand": (status(401), "REGISTRY_UNAVAILABLE"),
    "403": (status(403), "REGISTRY_UNAUTHORIZED"),
    "404": (status(404), "IMAGE_DELETED"),
    "429": (status(429, Retry_After="100000"), "REGISTRY_UNAVAILABLE"),
    "500": (status(500), "REGISTRY_UNAVAILABLE"),
    "redirects": (elsewhere, "REGISTRY_NOT_ALLOWED"),
    "wants a token from elsewhere": (token_elsewhere, "REGISTRY_UNAUTHORIZED"),
    "sends something else": (something_else, "DIGEST_MISMATCH"),
    "sends without end": (sending(endlessly), "LIMIT_EXCEEDED"),
    "breaks off": (sending(in_part, **{"Content-Length": "100000"}), "REGISTRY_UNAVAILABLE"),
}


@everywhere
@pytest.mark.parametrize("name", FAULTS)
async def test_a_registry_in_trouble(tmp_path: Path, place: str, name: str) -> None:
    fault, reason = FAULTS[name]
    async with scanning(tmp_path, Bounds(attempts=1), Limits()) as bench:
        assert reason_of(await scan_with(bench, place, fault)) == reason
        assert (await bench.risk(WHOLE.digest)).state is RiskState.FAILED
        assert (await bench.risk(CHILD.digest)).state is not RiskState.SCANNED


@everywhere
async def test_a_registry_that_hangs_is_given_up(tmp_path: Path, place: str) -> None:
    async with scanning(tmp_path, Bounds(attempts=1), Limits(), patience=0.3) as bench:
        assert reason_of(await scan_with(bench, place, hang)) == "REGISTRY_UNAVAILABLE"


async def test_an_image_deleted_while_it_is_scanned(bench: Scanning) -> None:
    async def deleting(request: web.Request) -> web.StreamResponse:
        bench.registry.faults.clear()
        bench.registry.blobs.clear()
        bench.registry.manifests.clear()
        return web.Response(body=CHILD.blobs[CONFIG])

    assert reason_of(await scan_with(bench, PLACES["configuration"], deleting)) == "IMAGE_DELETED"


async def test_an_image_deleted_before_its_scan_begins(bench: Scanning) -> None:
    asked = await bench.ask(bench.push(WHOLE))
    bench.registry.manifests.clear()
    await bench.do_all()
    assert reason_of(await bench.get(asked.scan_id)) == "IMAGE_DELETED"


async def test_a_host_that_is_configured_no_more(bench: Scanning) -> None:
    request = Request("elsewhere.example/app", WHOLE.digest, Trigger.MANUAL)
    async with bench.store.begin() as unit:
        asked = await request_scan(unit, request, bench.clock)
    await bench.do_all()
    assert reason_of(await bench.get(asked.scan_id)) == "REGISTRY_NOT_ALLOWED"
    assert bench.registry.requests == []


async def test_an_index_that_is_to_hold_itself(bench: Scanning) -> None:
    """By its digest it can't: what the registry sends for the child is the parent, and so is not what was asked for."""

    async def parent(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=WHOLE.body, content_type=OCI_INDEX)

    assert reason_of(await scan_with(bench, PLACES["manifest"], parent)) == "DIGEST_MISMATCH"


def described(**members: Any) -> dict[str, Any]:
    return LAYER.descriptor | members


def manifest(**members: Any) -> Image:
    return Image(json.dumps(json.loads(CHILD.body) | members).encode(), OCI_MANIFEST, blobs=CHILD.blobs)


def index_of(*descriptors: dict[str, Any]) -> Image:
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
    return Image(json.dumps(body).encode(), OCI_INDEX)


SHA512 = "sha512:" + "a" * 128


@pytest.mark.parametrize(
    ("made", "reason", "says"),
    [
        (manifest(layers=[described(digest=SHA512)]), "UNSUPPORTED_MANIFEST", "sha512"),
        (manifest(config=described(digest=SHA512)), "UNSUPPORTED_MANIFEST", "sha512"),
        (index_of(described(digest=SHA512)), "UNSUPPORTED_MANIFEST", "sha512"),
        (manifest(layers=[described(digest="sha256:../../x")]), "UNSUPPORTED_MANIFEST", "descriptor"),
        (manifest(layers=[described(size=1 << 60)]), "UNSUPPORTED_MANIFEST", "size"),
        (manifest(layers=[described(size=LAYER.descriptor["size"] - 1)]), "LIMIT_EXCEEDED", LAYER.digest),
        (manifest(layers=[described(size=LAYER.descriptor["size"] + 1)]), "DIGEST_MISMATCH", LAYER.digest),
        (manifest(layers=[described(mediaType="x" * 300)]), "UNSUPPORTED_MANIFEST", "255"),
        (manifest(layers=[described(mediaType=LAYER.descriptor["mediaType"] + "x" * 300)]), "UNSUPPORTED_MANIFEST", ""),
        (manifest(annotations={"a": "x" * (5 << 20)}), "LIMIT_EXCEEDED", "bytes"),
        (manifest(config=described(size=(8 << 20) + 1)), "LIMIT_EXCEEDED", "the bound `config`"),
        (image(LAYER, config={"os": "x" * 300}), "UNSUPPORTED_MANIFEST", "configuration"),
        (
            index_of(*[described(digest=f"sha256:{number:064x}") for number in range(201)]),
            "LIMIT_EXCEEDED",
            "manifests",
        ),
    ],
    ids=range(13),
)
async def test_a_manifest_that_can_not_be_right(bench: Scanning, made: Image, reason: str, says: str) -> None:
    scan = await bench.scan(made)
    assert reason_of(scan) == reason
    assert scan.failure is not None
    assert says in scan.failure.message
