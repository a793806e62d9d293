"""Others accept what we sign, and nothing else: cosign and skopeo from Debian's docker-registry, Sigstore's library.

Each acceptance stands beside a rejection by the same command, so that a tool which accepts or rejects everything shows.
"""

import asyncio
import base64
import json
import os
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from registry.digests import parse_digest
from signer.envelopes import simple
from signer.keys.algorithms import Algorithm, public_pem
from signer.signings import Format, Signing

from tests.factories.images import Image, debian, file, image, index, layer
from tests.factories.workshop import Workshop, workshop
from tests.tools.debian import ToolMissing, cosign, skopeo
from tests.tools.npm import bundle_verifier

T = TypeVar("T")

GOOD = debian()
MULTI = index(GOOD, image(layer(file("arm")), platform="linux/arm64"))
ALGORITHMS = [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_2048_PKCS1V15_SHA256]


def tool(find: Callable[[], T]) -> T:
    """Find a real component. Skips where there is none to be had; in CI that is a failure."""
    try:
        return find()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
async def shop(tmp_path: Path, real_registry: str) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path, host=real_registry, path=f"pay/{uuid4().hex[:8]}") as made:
        yield made


@pytest.fixture
async def other(tmp_path: Path, shop: Workshop) -> Path:
    """The public key of somebody else."""
    await shop.key("other")
    return await public_key(shop, "other", tmp_path)


async def public_key(shop: Workshop, name: str, folder: Path) -> Path:
    async with shop.store.read() as work:
        version = await work.keys.version(name, 1)
    assert version
    path = folder / f"{name}.pub"
    path.write_text(public_pem(version.public_key))
    return path


async def sign(shop: Workshop, image_: Image, algorithm: Algorithm = Algorithm.ECDSA_P256_SHA256) -> Signing:
    await shop.key(algorithm=algorithm)
    await shop.upload(image_, "v1")
    shop.risks.scanned(image_)
    return await shop.sign(image_, tag="v1", claims={"ünï": "<&>"})


async def run(*command: object, folder: Path, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
    )
    out, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), said.decode()


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_cosign_accepts_an_image_and_every_platform(
    shop: Workshop, other: Path, tmp_path: Path, algorithm: Algorithm
) -> None:
    program = tool(cosign)
    signing = await sign(shop, MULTI, algorithm)
    key = await public_key(shop, "release", tmp_path)
    options = ("--insecure-ignore-tlog=true", "--allow-insecure-registry")
    for signed in signing.digests:
        target = f"{shop.repository}@{signed.digest}"
        code, out, said = await run(program, "verify", "--key", key, *options, target, folder=tmp_path)
        assert code == 0, said
        (verified,) = json.loads(out)
        assert verified["critical"]["image"]["docker-manifest-digest"] == signed.digest
        assert verified["optional"]["hallmark.signing_id"] == signing.signing_id
        assert verified["optional"]["ünï"] == "<&>"
        code, _, said = await run(program, "verify", "--key", other, *options, target, folder=tmp_path)
        assert code != 0
        assert "invalid signature" in said or "no matching signatures" in said


async def copy(shop: Workshop, key: Path, source: str, folder: Path) -> tuple[int, str]:
    policy, registries = folder / "policy.json", folder / "registries.d"
    demanded = [{"type": "sigstoreSigned", "keyPath": str(key)}]
    policy.write_text(json.dumps({"default": [{"type": "reject"}], "transports": {"docker": {"": demanded}}}))
    registries.mkdir(exist_ok=True)
    (registries / "default.yaml").write_text("default-docker: {use-sigstore-attachments: true}\n")
    options = ("--registries.d", registries, "--policy", policy, "--override-os", "linux", "--override-arch", "amd64")
    target = f"dir:{folder}/copy-{uuid4().hex}"
    command = (*tool(skopeo), *options, "copy", "--src-tls-verify=false", f"docker://{source}", target)
    code, _, said = await run(*command, folder=folder)
    return code, said


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_skopeo_accepts_the_tag_that_was_signed(
    shop: Workshop, other: Path, tmp_path: Path, algorithm: Algorithm
) -> None:
    await sign(shop, MULTI, algorithm)
    key = await public_key(shop, "release", tmp_path)
    code, said = await copy(shop, key, f"{shop.repository}:v1", tmp_path)
    assert code == 0, said
    code, said = await copy(shop, other, f"{shop.repository}:v1", tmp_path)
    assert code != 0
    assert "signature" in said
    await shop.upload(MULTI, "v2")
    code, said = await copy(shop, key, f"{shop.repository}:v2", tmp_path)
    assert code != 0
    assert "docker-reference" in said or "identity" in said.lower()


async def bundles(shop: Workshop, digest: str) -> list[dict[str, Any]]:
    host, _, path = shop.repository.partition("/")
    found = []
    for referrer in await shop.client.list_referrers(host, path, digest):  # type: ignore[arg-type]  # it is a digest
        manifest = json.loads((await shop.client.get_manifest(host, path, referrer.digest)).body)
        (stored,) = manifest["layers"]
        found.append(json.loads(await shop.client.read_blob(host, path, stored["digest"], 1 << 20)))
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_sigstores_library_accepts_the_bundle(
    shop: Workshop, other: Path, tmp_path: Path, algorithm: Algorithm
) -> None:
    command, environment = tool(bundle_verifier)
    signing = await sign(shop, MULTI, algorithm)
    key = await public_key(shop, "release", tmp_path)
    for signed in signing.digests:
        (bundle,) = await bundles(shop, signed.digest)
        path = tmp_path / "bundle.json"
        path.write_text(json.dumps(bundle))
        code, out, said = await run(*command, path, key, folder=tmp_path, **environment)
        assert code == 0, said
        assert json.loads(out)["subject"][0]["digest"]["sha256"] == signed.digest.removeprefix("sha256:")
        code, _, said = await run(*command, path, other, folder=tmp_path, **environment)
        assert (code, "key not found" in said) == (1, True), said
        payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b":v1", b":v2")
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
        path.write_text(json.dumps(bundle))
        code, _, said = await run(*command, path, key, folder=tmp_path, **environment)
        assert (code, "SIGNATURE_ERROR" in said) == (1, True), said


async def test_signatures_made_at_once_all_survive_in_the_real_registry(shop: Workshop, tmp_path: Path) -> None:
    program = tool(cosign)
    await sign(shop, GOOD)
    await asyncio.gather(*(shop.sign(GOOD, tag="v1") for _ in range(4)))
    key = await public_key(shop, "release", tmp_path)
    options = ("--insecure-ignore-tlog=true", "--allow-insecure-registry")
    target = f"{shop.repository}@{GOOD.digest}"
    code, out, said = await run(program, "verify", "--key", key, *options, target, folder=tmp_path)
    assert code == 0, said
    assert len({one["optional"]["hallmark.signing_id"] for one in json.loads(out)}) == 5
    assert len(await bundles(shop, GOOD.digest)) == 5


async def test_two_signers_at_once_lose_no_signature_in_the_real_registry(real_registry: str, tmp_path: Path) -> None:
    where: dict[str, Any] = {"host": real_registry, "path": f"pay/{uuid4().hex[:8]}"}
    async with workshop(tmp_path / "one", **where) as one, workshop(tmp_path / "two", **where) as two:
        made = [await sign(shop, GOOD) for shop in (one, two)]
        made += await asyncio.gather(*(shop.sign(GOOD, tag="v1") for shop in (one, two) * 4))
        host, _, path = one.repository.partition("/")
        stored = await one.client.get_manifest(host, path, simple.tag(parse_digest(GOOD.digest)))
        held = {layer_["digest"] for layer_ in json.loads(stored.body)["layers"]}
        payloads = [payload for signing in made for payload in signing.digests[0].payloads]
        simples = {payload.sha256.hex() for payload in payloads if payload.form is Format.SIMPLE_SIGNING}
        assert held == {f"sha256:{digest}" for digest in simples}
        assert len(await bundles(one, GOOD.digest)) == len(made) == 10


async def test_an_image_is_signed_again_after_a_bundle_was_deleted(shop: Workshop) -> None:
    await shop.key()
    digest = parse_digest(await shop.upload(GOOD, "v1"))
    shop.risks.scanned(GOOD)
    await shop.sign(GOOD)
    host, _, path = shop.repository.partition("/")
    (deleted,) = await shop.client.list_referrers(host, path, digest)
    asked = urllib.request.Request(f"http://{host}/v2/{path}/manifests/{deleted.digest}", method="DELETE")
    await asyncio.to_thread(urllib.request.urlopen, asked)
    await shop.sign(GOOD)
    (listed,) = await shop.client.list_referrers(host, path, digest)
    assert listed.digest != deleted.digest
