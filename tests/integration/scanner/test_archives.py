"""Archives of images, by the command and a scanner that run: skopeo's among them."""

import asyncio
import io
import json
import os
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from hallmark.scanner.v1 import scan_service_pb2, scan_service_pb2_grpc
from hallmark_cli import toml

from tests.factories.archives import layout
from tests.factories.certificates import TRUST_DOMAIN
from tests.factories.images import debian, image, index, layer, wheel
from tests.factories.scanner_process import RunningScanner, ScannerHome
from tests.tools.debian import ToolMissing, skopeo

MADE = debian(more=[wheel("Jinja2", "3.0.0")])


@pytest.fixture
async def home(tmp_path: Path) -> ScannerHome:
    made = ScannerHome(tmp_path, [])
    code, said = await made.run("migrate")
    assert code == 0, said
    return made


@pytest.fixture
async def scanner(home: ScannerHome) -> AsyncIterator[RunningScanner]:
    async with home.start() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An OCI image layout with one image."""
    made = tmp_path / "layout"
    with tarfile.open(fileobj=io.BytesIO(layout(MADE, names=["made"]))) as archive:
        archive.extractall(made, filter="data")
    return made


async def run(*command: str | Path) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), said.decode()


async def hallmark(scanner: RunningScanner, *arguments: str) -> tuple[int, str, str]:
    """The command, as a developer."""
    tls = scanner.home.authority.write(scanner.home.authority.person("developer"), scanner.home.folder / "dev")
    profile = scanner.home.folder / "hallmark.toml"
    identity = {"certificate": str(tls.certificate), "key": str(tls.key)}
    profile.write_text(
        toml.dumps(
            {
                "trust_domain": TRUST_DOMAIN,
                "ca": str(tls.ca),
                "services": {"scanner": f"127.0.0.1:{scanner.service.port}"},
                "identities": {"developer": identity},
            }
        )
    )
    return await run(sys.executable, "-m", "hallmark_cli", "--profile", profile, *arguments)


async def copied(source: str, target: str) -> None:
    """Let skopeo copy an image. Skips where it can't be had; in CI that is a failure."""
    try:
        program = skopeo()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    code, _, said = await run(*program, "--insecure-policy", "copy", source, target)
    assert code == 0, said


async def scanned(scanner: RunningScanner, *arguments: str) -> dict[str, object]:
    """What a scan of this gives, in brief; the feeds of these tests were never imported."""
    code, out, said = await hallmark(scanner, "scan", *arguments, "--wait", "-o", "json")
    assert code == 3, said
    assert "INCOMPLETE" in said
    scan = json.loads(out)["scan"]
    [platform] = scan["platforms"]
    return {"image": f"{scan['repository']}@{scan['digest']}", "packages": platform["packages"]}


PACKAGES = {"Debian": 1, "PyPI": 1}


async def test_a_layout_in_a_directory(scanner: RunningScanner, folder: Path) -> None:
    assert await scanned(scanner, f"oci:{folder}") == {
        "image": f"archive.invalid/layout@{MADE.digest}",
        "packages": PACKAGES,
    }


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive"])
async def test_archives_that_skopeo_writes(scanner: RunningScanner, folder: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / "saved.tar"
    await copied(f"oci:{folder}:made", f"{form}:{file}:team/shop:1")
    found = await scanned(scanner, f"archive:{file}", "--name", "shop:1")
    assert found["packages"] == PACKAGES
    assert str(found["image"]).startswith("archive.invalid/shop@")
    assert (found["image"] == f"archive.invalid/shop@{MADE.digest}") == (form == "oci-archive")


async def test_what_is_no_image_is_refused_in_words(scanner: RunningScanner, tmp_path: Path) -> None:
    file = tmp_path / "notes.tar"
    file.write_bytes(b"no archive at all" * 100)
    code, _, said = await hallmark(scanner, "scan", f"archive:{file}")
    assert code == 2
    assert "IMAGE_ARCHIVE_BROKEN" in said


async def test_who_may_send(scanner: RunningScanner) -> None:
    stub = scan_service_pb2_grpc.ScanServiceStub(await scanner.channel("auditor"))
    parts = [scan_service_pb2.ScanArchiveRequest(header=scan_service_pb2.ArchiveHeader(name="a"))]
    with pytest.raises(grpc.aio.AioRpcError, match=r"scanner\.scans\.create"):
        await stub.ScanArchive(iter(parts), timeout=30)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "begins with its header"),
        ([scan_service_pb2.ScanArchiveRequest(chunk=b"x")], "begins with its header"),
        ([scan_service_pb2.ScanArchiveRequest(header=scan_service_pb2.ArchiveHeader(name="UPPER"))], "no repository"),
        ([scan_service_pb2.ScanArchiveRequest(header=scan_service_pb2.ArchiveHeader(name=""))], "no repository"),
        (
            [scan_service_pb2.ScanArchiveRequest(header=scan_service_pb2.ArchiveHeader(name=f"a@{MADE.digest}"))],
            "digest",
        ),
        ([scan_service_pb2.ScanArchiveRequest(header=scan_service_pb2.ArchiveHeader(name="a"))] * 2, "chunks alone"),
    ],
)
async def test_what_can_not_be_meant(
    scanner: RunningScanner, parts: list[scan_service_pb2.ScanArchiveRequest], says: str
) -> None:
    stub = scan_service_pb2_grpc.ScanServiceStub(await scanner.channel("developer"))
    with pytest.raises(grpc.aio.AioRpcError, match=says):
        await stub.ScanArchive(iter(parts), timeout=30)


async def test_an_index_with_several_platforms(scanner: RunningScanner, tmp_path: Path) -> None:
    whole = index(image(layer(wheel("a", "1"))), image(layer(wheel("b", "1")), platform="linux/arm64"))
    file = tmp_path / "whole.tar"
    file.write_bytes(layout(whole))
    code, out, said = await hallmark(scanner, "scan", f"archive:{file}", "--wait", "-o", "json")
    assert code == 3, said
    assert [one["platform"] for one in json.loads(out)["scan"]["platforms"]] == ["linux/amd64", "linux/arm64"]


async def test_no_registry_can_have_the_name_of_archives(tmp_path: Path) -> None:
    code, said = await ScannerHome(tmp_path, ["archive.invalid"]).run("migrate")
    assert code != 0
    assert "images from archives are known by that name" in said
