"""Writing beside others: a registry has no compare-and-swap, so what was written is looked at again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from registry.errors import PushRefused, RegistryUnavailable
from signer.errors import SignatureLost, SignaturesFull
from signer.signings import SigningState

from tests.factories.images import OCI_INDEX, OCI_MANIFEST, debian
from tests.factories.workshop import REPOSITORY, Workshop, workshop
from tests.fakes.registry import digest_of, status

GOOD = debian()
SIG = GOOD.digest.replace(":", "-") + ".sig"
REFERRERS = GOOD.digest.replace(":", "-")
OTHER = b"{}"
"""What another client stored: the payload of a signature, and a manifest that refers to the image."""
OTHER_LAYER = {
    "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
    "digest": digest_of(OTHER),
    "size": len(OTHER),
    "annotations": {"dev.cosignproject.cosign/signature": "AAAA"},
}
OTHERS = {
    SIG: {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": OTHER_LAYER, "layers": [OTHER_LAYER]},
    REFERRERS: {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [OTHER_LAYER]},
}


def overwrite(shop: Workshop, tag: str, times: int) -> None:
    """Let another client overwrite a tag right after it was written, some times."""
    path = f"/v2/{REPOSITORY}/manifests/{tag}"
    left = times
    shop.registry.put_blob(REPOSITORY, OTHER)
    shop.registry.put_manifest(REPOSITORY, OCI_MANIFEST, OTHER)

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal left
        await request.read()
        left -= 1
        if not left:
            del shop.registry.faults["PUT", path]
        other = OTHERS[tag]
        shop.registry.put_manifest(REPOSITORY, str(other["mediaType"]), json.dumps(other).encode(), tag)
        return web.Response(status=201)

    shop.registry.faults["PUT", path] = answer


@pytest.mark.parametrize("tag", [SIG, REFERRERS])
async def test_a_signature_that_another_client_overwrote_is_written_again_beside_the_others(
    old_shop: Workshop, tag: str
) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    overwrite(old_shop, tag, 2)
    assert (await old_shop.sign(GOOD)).state is SigningState.DONE
    _, body = old_shop.registry.manifests[REPOSITORY, old_shop.registry.tags[REPOSITORY, tag]]
    manifest = json.loads(body)
    held = manifest["layers"] if tag == SIG else manifest["manifests"]
    assert held[0] == OTHER_LAYER
    assert len(held) == 2


@pytest.mark.parametrize("tag", [SIG, REFERRERS])
async def test_a_client_that_overwrites_for_ever_is_told_of(old_shop: Workshop, tag: str) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    overwrite(old_shop, tag, 1_000_000)
    with pytest.raises(SignatureLost):
        await old_shop.sign(GOOD)


@pytest.mark.parametrize("tag", [SIG, REFERRERS])
async def test_what_others_put_in_the_way_is_not_overwritten(old_shop: Workshop, tag: str) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    strange = json.dumps({"schemaVersion": 2, "mediaType": "text/strange"}).encode()
    old_shop.registry.put_manifest(REPOSITORY, "text/strange", strange, tag)
    with pytest.raises(SignaturesFull):
        await old_shop.sign(GOOD)
    assert old_shop.registry.manifests[REPOSITORY, old_shop.registry.tags[REPOSITORY, tag]] == ("text/strange", strange)


async def test_a_registry_with_the_referrers_api_needs_no_fallback_tag(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    await shop.sign(GOOD)
    assert (REPOSITORY, REFERRERS) not in shop.registry.tags
    assert (REPOSITORY, SIG) in shop.registry.tags


@pytest.mark.parametrize("tag", [SIG, REFERRERS])
async def test_what_a_slower_signer_overwrites_afterwards_is_written_again(
    old_shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    async with workshop(tmp_path / "slow", host=old_shop.registry.host) as slow:
        old_shop.push(GOOD)
        for shop in (old_shop, slow):
            await shop.key()
            shop.risks.scanned(GOOD)
        let_overwrite(old_shop, slow, tag, monkeypatch)
        signings = await asyncio.gather(slow.sign(GOOD), old_shop.sign(GOOD))
    assert [signing.state for signing in signings] == [SigningState.DONE] * 2
    _, body = old_shop.registry.manifests[REPOSITORY, old_shop.registry.tags[REPOSITORY, tag]]
    manifest = json.loads(body)
    assert len(manifest["layers"] if tag == SIG else manifest["manifests"]) == 2


def let_overwrite(shop: Workshop, slow: Workshop, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the slow signer write what it had read before the other one wrote, after that one had read again."""
    reading, confirming, written = asyncio.Event(), asyncio.Event(), asyncio.Event()
    put, get, reads = slow.client.put_manifest, shop.client.get_manifest, 0

    async def put_late(host: str, path: str, reference: str, *manifest: Any) -> bool:
        if reference == tag:
            reading.set()
            await confirming.wait()
        listed = await put(host, path, reference, *manifest)
        if reference == tag:
            written.set()
        return listed

    async def get_early(host: str, path: str, reference: str) -> object:
        nonlocal reads
        reads += reference == tag
        if reference == tag and reads == 1:
            await reading.wait()
        if reference == tag and reads == 3:
            confirming.set()
            await written.wait()
        return await get(host, path, reference)

    monkeypatch.setattr(slow.client, "put_manifest", put_late)
    monkeypatch.setattr(shop.client, "get_manifest", get_early)


async def test_referrers_that_were_deleted_are_left_out_where_the_registry_takes_no_index_of_them(
    old_shop: Workshop,
) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    for _ in range(2):
        await old_shop.sign(GOOD)
    deleted, kept = listed(old_shop)
    del old_shop.registry.manifests[REPOSITORY, deleted]
    assert (await old_shop.sign(GOOD)).state is SigningState.DONE
    first, second = listed(old_shop)
    assert first == kept
    assert second not in {kept, deleted}


async def test_an_index_that_is_refused_although_all_in_it_is_there_stays(old_shop: Workshop) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    await old_shop.sign(GOOD)
    before = listed(old_shop)
    old_shop.registry.faults["PUT", f"/v2/{REPOSITORY}/manifests/{REFERRERS}"] = status(400)
    with pytest.raises(PushRefused):
        await old_shop.sign(GOOD)
    assert listed(old_shop) == before


async def test_a_referrer_that_cannot_be_looked_for_is_not_taken_for_deleted(old_shop: Workshop) -> None:
    await old_shop.key()
    old_shop.push(GOOD)
    old_shop.risks.scanned(GOOD)
    await old_shop.sign(GOOD)
    (before,) = listed(old_shop)
    old_shop.registry.faults["PUT", f"/v2/{REPOSITORY}/manifests/{REFERRERS}"] = status(400)
    old_shop.registry.faults["GET", f"/v2/{REPOSITORY}/manifests/{before}"] = status(503)
    with pytest.raises(RegistryUnavailable):
        await old_shop.sign(GOOD)
    assert listed(old_shop) == [before]


def listed(shop: Workshop) -> list[str]:
    """The digests in the index at the fallback tag."""
    _, body = shop.registry.manifests[REPOSITORY, shop.registry.tags[REPOSITORY, REFERRERS]]
    return [entry["digest"] for entry in json.loads(body)["manifests"]]
