"""What cosign attaches and attests in Debian's docker-registry is found, and read as claims."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from chassis.workers import Workers
from registry.client import RegistryClient
from registry.settings import RegistrySettings
from scanner.clients.registry import ClientRegistry
from scanner.pulling.attached import AttachedDocuments

from tests.factories.documents import cyclonedx, spdx
from tests.factories.images import debian
from tests.factories.outcomes import inventory, platform
from tests.tools.debian import ToolMissing, cosign

MADE = debian()


@pytest.fixture
def program() -> Path:
    try:
        return cosign()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
async def client(real_registry: str) -> AsyncIterator[RegistryClient]:
    opened = RegistryClient([RegistrySettings(host=real_registry, plain_http=True)])
    yield opened
    await opened.close()


async def run(program: Path, folder: Path, *arguments: str) -> None:
    """Run cosign, without a log of the world's to write to."""
    environment = {"COSIGN_PASSWORD": "", "HOME": str(folder), "PATH": os.environ["PATH"]}
    piped, merged = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=folder, env=environment, stdout=piped, stderr=merged
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_documents_of_cosign(program: Path, client: RegistryClient, real_registry: str, tmp_path: Path) -> None:
    path = f"claims/{uuid4().hex[:8]}"
    for blob in MADE.all_blobs().values():
        await client.push_blob(real_registry, path, blob)
    await client.put_manifest(real_registry, path, "v1", MADE.media_type, MADE.body)
    (tmp_path / "attached.json").write_bytes(spdx("pkg:npm/attached@1.0"))
    (tmp_path / "attested.json").write_bytes(cyclonedx("pkg:npm/attested@1.0"))
    reference = f"{real_registry}/{path}@{MADE.digest}"
    plain = "--allow-http-registry"
    kind = ("--type", "spdx", "--input-format", "json")
    await run(program, tmp_path, "attach", "sbom", "--sbom", "attached.json", *kind, plain, reference)
    await run(program, tmp_path, "generate-key-pair")
    quiet = ("--key", "cosign.key", "--tlog-upload=false", "--yes", plain)
    await run(program, tmp_path, "attest", "--predicate", "attested.json", "--type", "cyclonedx", *quiet, reference)
    await run(program, tmp_path, "attest", "--predicate", "attested.json", "--type", "custom", *quiet, reference)

    workers = Workers(1)
    try:
        scanned = replace(platform(inventory()), manifest_digest=MADE.digest)
        (read,) = await AttachedDocuments(ClientRegistry(client), workers).beside(f"{real_registry}/{path}", [scanned])
    finally:
        workers.close()
    assert [claim.problem for claim in read.claims] == ["", ""]
    assert [(claim.format, [one.name for one in claim.packages]) for claim in read.claims] == [
        ("SPDX 2.3", ["attached"]),
        ("CycloneDX 1.5", ["attested"]),
    ]
