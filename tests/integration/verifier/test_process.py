"""The verifier as a process of its own: it starts, serves, drains, and says in a sentence why it cannot."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from chassis.client import call, open_channel
from chassis.config import Upstream
from hallmark.verifier.v1 import verdict_pb2, verifier_service_pb2_grpc
from hallmark.verifier.v1 import verifier_service_pb2 as pb

from tests.factories import marks, told
from tests.factories.certificates import TRUST_DOMAIN
from tests.fakes.upstreams import Upstreams
from tests.integration.verifier.conftest import AUTHORITY


def settings(upstreams: Upstreams, folder: Path) -> Path:
    """A settings file of a verifier amid its neighbours."""
    tls = AUTHORITY.write(AUTHORITY.service("verifier"), folder / "verifier")
    lines = [
        "[server]", 'address = "127.0.0.1:0"', "[http]", 'address = "127.0.0.1:0"',
        "[tls]", f'ca = "{tls.ca}"', f'certificate = "{tls.certificate}"', f'key = "{tls.key}"',
        f'trust_domain = "{TRUST_DOMAIN}"',
    ]  # fmt: skip
    for name, upstream in upstreams.addresses.items():
        lines += [f"[upstreams.{name}]", f'address = "{upstream.address}"', f'role = "{name}"']
    file = folder / "verifier.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


@asynccontextmanager
async def started(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "verifier", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def port_of(process: asyncio.subprocess.Process) -> int:
    assert process.stderr
    async for line in process.stderr:
        said = json.loads(line)
        if said["message"] == "service started":
            return int(said["port"])
    raise AssertionError("it ended without having served")


async def reject(port: int, folder: Path) -> None:
    issued = AUTHORITY.write(AUTHORITY.person("admission", told.CLUSTER), folder / "caller")
    request = pb.VerifyImagesRequest(
        object_form=verdict_pb2.OBJECT_FORM_POD, images=[pb.NamedImage(image=f"{marks.REPOSITORY}@{marks.DIGEST}")]
    )
    async with open_channel(Upstream(address=f"127.0.0.1:{port}", role="verifier"), issued) as channel:
        stub = verifier_service_pb2_grpc.VerifierServiceStub(channel)
        (verdict,) = (await call(stub.VerifyImages, request, timeout=20)).verdicts
    assert verdict.effect == verdict_pb2.EFFECT_REJECT


async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async with Upstreams(AUTHORITY, tmp_path) as upstreams, started(settings(upstreams, tmp_path)) as process:
        upstreams.policy.told.tell(told.policy())
        await reject(await port_of(process), tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        said = [json.loads(line)["message"] async for line in process.stderr]
        assert await process.wait() == 0
        assert said[-1] == "service stopped"
        assert len(upstreams.policy.decisions) == 1, "what was decided is written before the end"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (("[upstreams.signer]", "[upstreams.signature]"), "upstreams"),
        (("[http]", "[limits]\nstale_after = 4\n[http]"), "stale_after"),
        (("cert.pem", "no.pem"), "no.pem"),
    ],
)
async def test_settings_that_cannot_be_used_are_named(tmp_path: Path, spoil: tuple[str, str], named: str) -> None:
    async with Upstreams(AUTHORITY, tmp_path) as upstreams:
        config = settings(upstreams, tmp_path)
    config.write_text(config.read_text().replace(*spoil))
    async with started(config) as process:
        _, said = await process.communicate()
    assert process.returncode == 2
    assert said.startswith(b"verifier: ")
    assert named in said.decode()
