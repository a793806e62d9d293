"""Images of several platforms: what is signed is the index and each platform, and neither vouches for anything else."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from signer.keys.algorithms import public_pem
from verifier.reasons import Code, Outcome
from verifier.verdicts import Verdict

from tests.factories.images import Image, debian, file, image, index, layer
from tests.factories.workshop import Workshop, workshop
from tests.integration.verifier.foreign import Foreign

AMD, ARM = debian(), image(layer(file("arm")), platform="linux/arm64")
MULTI = index(AMD, ARM)
SIGNED = (MULTI, AMD, ARM)
EVIL = image(layer(file("evil")))
MIXED = index(AMD, EVIL)
"""An index of somebody else around a platform that is signed."""


@pytest.fixture
async def foreign(real_registry: str, tmp_path: Path) -> AsyncIterator[Foreign]:
    folder = tmp_path / "foreign"
    folder.mkdir()
    made = Foreign(real_registry, folder)
    yield made
    await made.client.close()


@pytest.fixture
async def shop(foreign: Foreign, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A signer of ours before the same registry, whose key `release` the judge knows."""
    async with workshop(tmp_path, host=foreign.host, path=f"pay/{uuid4().hex[:8]}") as made:
        await made.key()
        async with made.store.read() as work:
            version = await work.keys.version("release", 1)
        assert version
        (foreign.folder / "release.pub").write_text(public_pem(version.public_key))
        yield made


async def judge(foreign: Foreign, repository: str, *images: Image) -> list[Verdict]:
    return [await foreign.judge(f"{repository}@{one.digest}", "release") for one in images]


def outcomes(verdicts: list[Verdict]) -> list[str]:
    return [",".join(reason.code.value for reason in one.reasons) or one.outcome.value for one in verdicts]


async def test_an_index_that_we_signed_may_be_named_by_itself_or_by_a_platform(
    foreign: Foreign, shop: Workshop
) -> None:
    await shop.upload(MULTI, "v1")
    await shop.upload(MIXED, "v2")
    shop.risks.scanned(MULTI)
    assert outcomes(await judge(foreign, shop.repository, *SIGNED)) == ["NO_SIGNATURE"] * 3
    await shop.sign(MULTI, tag="v1")
    assert outcomes(await judge(foreign, shop.repository, *SIGNED)) == ["ALLOW"] * 3
    assert outcomes(await judge(foreign, shop.repository, MIXED, EVIL)) == ["NO_SIGNATURE"] * 2


async def test_an_index_that_cosign_signed_with_its_platforms(foreign: Foreign) -> None:
    repository = f"{foreign.host}/pay/{uuid4().hex[:8]}"
    await foreign.new_key("release")
    await foreign.push(repository.partition("/")[2], MULTI, "v1")
    await foreign.sign("release", f"{repository}@{MULTI.digest}", "--recursive")
    assert outcomes(await judge(foreign, repository, *SIGNED)) == ["ALLOW"] * 3


async def test_an_index_that_cosign_signed_alone_does_not_vouch_for_its_platforms(foreign: Foreign) -> None:
    repository = f"{foreign.host}/pay/{uuid4().hex[:8]}"
    await foreign.new_key("release")
    await foreign.push(repository.partition("/")[2], MULTI, "v1")
    await foreign.sign("release", f"{repository}@{MULTI.digest}")
    assert outcomes(await judge(foreign, repository, *SIGNED)) == ["ALLOW", "NO_SIGNATURE", "NO_SIGNATURE"]


async def test_the_signature_of_a_platform_put_in_the_place_of_its_index_does_not_count(
    foreign: Foreign, shop: Workshop
) -> None:
    await shop.upload(MULTI, "v1")
    await shop.upload(MIXED, "v2")
    shop.risks.scanned(MULTI)
    await shop.sign(MULTI, tag="v1")
    host, _, path = shop.repository.partition("/")
    for taken in SIGNED:
        fetched = await foreign.client.get_manifest(host, path, sig_tag(taken))
        await foreign.client.put_manifest(host, path, sig_tag(MIXED), fetched.media_type, fetched.body)
        (verdict,) = await judge(foreign, shop.repository, MIXED)
        assert verdict.outcome is Outcome.DENY
        assert [reason.code for reason in verdict.reasons] == [Code.DIGEST_MISMATCH]


def sig_tag(image_: Image) -> str:
    return f"{image_.digest.replace(':', '-')}.sig"
