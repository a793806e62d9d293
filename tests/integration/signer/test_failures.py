"""What stays when signing fails half-way: a registry that gives up, a disk that is full."""

import hashlib
import json
from typing import Any

import pytest
from chassis.database import StorageFull
from registry.errors import RegistryUnavailable
from signer.signings import Filter, SigningState

from tests.factories.full_disk import room_for
from tests.factories.images import debian, file, image, index, layer
from tests.factories.workshop import REPOSITORY, Workshop, person
from tests.fakes.registry import status

GOOD = debian()
ARM = image(layer(file("arm")), platform="linux/arm64")
MULTI = index(GOOD, ARM)


async def test_a_registry_that_fails_half_way_leaves_a_clear_record_and_signing_again_works(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    path = f"/v2/{REPOSITORY}/manifests/{GOOD.digest.replace(':', '-')}.sig"
    shop.registry.faults["PUT", path] = status(500)
    with pytest.raises(RegistryUnavailable):
        await shop.sign(GOOD)
    (failed,) = (await shop.records.signings(person("auditor"), Filter(), 2**62, 10)).items
    assert failed.state is SigningState.FAILED
    assert "500" in failed.failure
    del shop.registry.faults["PUT", path]
    assert (await shop.sign(GOOD)).state is SigningState.DONE
    assert len(shop.dot_sig(GOOD.digest)) == 1


async def test_an_index_that_was_published_in_part_tells_so_and_converges_when_signed_again(shop: Workshop) -> None:
    await shop.key()
    shop.push(MULTI)
    shop.risks.scanned(MULTI)
    path = f"/v2/{REPOSITORY}/manifests/{MULTI.digest.replace(':', '-')}.sig"
    shop.registry.faults["PUT", path] = status(500)
    with pytest.raises(RegistryUnavailable):
        await shop.sign(MULTI)
    del shop.registry.faults["PUT", path]
    again = await shop.sign(MULTI)
    listed = (await shop.records.signings(person("auditor"), Filter(), 2**62, 10)).items
    assert [one.state for one in listed] == [SigningState.DONE, SigningState.FAILED]
    assert listed[1].failure.startswith("After 2 of 3 manifests: ")
    recorded = {payload.sha256 for one in listed for signed in one.digests for payload in signed.payloads}
    for digest, signatures in ((MULTI.digest, 1), (GOOD.digest, 2), (ARM.digest, 2)):
        held = [shop.payload_of(one) for one in shop.dot_sig(digest)]
        assert len(held) == signatures
        assert json.loads(held[-1])["optional"]["hallmark.signing_id"] == again.signing_id
        assert {hashlib.sha256(payload).digest() for payload in held} <= recorded


async def test_a_registry_that_goes_away_once_all_is_written_is_told_so(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    tag = f"/v2/{REPOSITORY}/manifests/{GOOD.digest.replace(':', '-')}.sig"
    written = shop.client.put_manifest

    async def put(host: str, repository: str, reference: str, *manifest: Any) -> bool:
        listed = await written(host, repository, reference, *manifest)
        if reference.startswith("sha256:"):
            shop.registry.faults["GET", tag] = status(503)
        return listed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.client, "put_manifest", put)
        with pytest.raises(RegistryUnavailable) as refusal:
            await shop.sign(GOOD)
    assert refusal.value.metadata["published"] == "1 of 1 manifests"
    (failed,) = (await shop.records.signings(person("auditor"), Filter(), 2**62, 10)).items
    assert failed.failure.startswith("After 1 of 1 manifests: ")


async def test_a_full_disk_signs_nothing_and_loses_nothing(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    made = ["release"]

    async def make_keys() -> None:
        while True:
            await shop.key(f"key-{len(made)}", labels={"why": "x" * 200})
            made.append(f"key-{len(made)}")

    async def sign_again_and_again() -> None:
        while True:
            await shop.sign(GOOD, claims={str(number): "x" * 1000 for number in range(30)})

    for work in (make_keys, sign_again_and_again):
        async with room_for(shop.database, pages=4):
            with pytest.raises(StorageFull):
                await work()
    listed = (await shop.records.keys(person("auditor"), "", 1000)).items
    assert [key.name for key in listed] == sorted(made)
    signings = (await shop.records.signings(person("auditor"), Filter(), 2**62, 1000)).items
    held = shop.dot_sig(GOOD.digest) if signings else []
    assert {one.signing_id for one in signings} >= {
        json.loads(shop.payload_of(one))["optional"]["hallmark.signing_id"] for one in held
    }
    await shop.key(f"key-{len(made)}")
    for name in (*made, f"key-{len(made)}"):
        assert (await shop.sign(GOOD, key=name)).state is SigningState.DONE
