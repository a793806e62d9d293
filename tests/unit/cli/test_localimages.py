"""Images on this machine, as they are sent to the scanner."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from hallmark.scanner.v1 import scan_pb2, scan_service_pb2
from hallmark_cli.failures import Misused
from hallmark_cli.localimages import CHUNK, LocalImage, archive_of, local_image

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve


def found(reference: str) -> LocalImage:
    image = local_image(reference)
    assert image is not None
    return image


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    folder = tmp_path / "My Image.oci"
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "index.json").write_text("{}")
    (folder / "oci-layout").write_text("{}")
    (folder / "notes.txt").write_text("none of it")
    (folder / "blobs" / "sha256" / "ab").write_bytes(b"x" * (CHUNK + 700))
    (folder / "blobs" / "sha256" / "cd").write_bytes(b"")
    return folder


def test_a_layout_is_packed_as_it_is_sent(layout: Path) -> None:
    pieces = list(archive_of(found(f"oci:{layout}")))
    assert max(map(len, pieces)) <= CHUNK
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        assert {one.name: one.size for one in archive} == {
            "oci-layout": 2,
            "index.json": 2,
            "blobs/sha256/ab": CHUNK + 700,
            "blobs/sha256/cd": 0,
        }
        blob = archive.extractfile("blobs/sha256/ab")
        assert blob is not None
        assert blob.read() == b"x" * (CHUNK + 700)


def test_links_of_a_layout_are_not_followed(layout: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (layout / "blobs" / "sha256" / "ef").symlink_to(tmp_path / "secret")
    assert b"secret" not in b"".join(archive_of(found(f"oci:{layout}")))


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "shop.tar.gz"
    file.write_bytes(b"y" * (CHUNK + 1))
    assert b"".join(archive_of(found(f"archive:{file}"))) == file.read_bytes()


@pytest.mark.parametrize(
    ("path", "name"),
    [("shop.tar.gz", "shop"), ("My Shop_1.2.tgz", "my-shop-1-2"), ("---.tar", "image"), ("a.oci.tar.zst", "a")],
)
def test_its_name_is_one_that_a_repository_can_have(tmp_path: Path, path: str, name: str) -> None:
    (tmp_path / path).touch()
    assert found(f"archive:{tmp_path / path}").name == name


@pytest.mark.parametrize("reference", ["reg.example.com/oci:1", "oci", "archive", "oci:", "localhost/archive:x"])
def test_other_references_name_no_files(reference: str) -> None:
    assert local_image(reference) is None


def test_what_is_not_there(layout: Path, tmp_path: Path) -> None:
    for reference in (f"archive:{layout}", f"archive:{tmp_path}/none", f"oci:{tmp_path}", f"oci:{layout}/index.json"):
        with pytest.raises(Misused):
            local_image(reference)


def scanner(received: list[scan_service_pb2.ScanArchiveRequest], refused: str = "") -> grpc.GenericRpcHandler:
    def take(requests: Iterable[scan_service_pb2.ScanArchiveRequest], context: Any) -> Any:
        received.extend(requests)
        if refused:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, refused)
        scan = scan_pb2.Scan(scan_id="s1", repository="archive.invalid/shop", state=scan_pb2.SCAN_STATE_FAILED)
        scan.failure.message = "The archive does not hold the file x."
        return scan_service_pb2.ScanArchiveResponse(scan=scan)

    def watch(request: Any, context: Any) -> Iterator[scan_service_pb2.WatchScanResponse]:
        yield scan_service_pb2.WatchScanResponse()

    return offering(scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"], ScanArchive=take, WatchScan=watch)


def test_scanning_sends_header_and_bytes(serve: Serve, hallmark: Hallmark, layout: Path) -> None:
    received: list[scan_service_pb2.ScanArchiveRequest] = []
    address = serve(scanner(received))
    options = ["--name", "team/shop:1", "--image", "sha256:x"]
    done = hallmark("scan", f"oci:{layout}", *options, scanner=address)
    assert done.returncode == 0, done.stderr
    assert "sending" in done.stderr
    assert (received[0].header.name, received[0].header.image) == ("team/shop:1", "sha256:x")
    assert b"".join(part.chunk for part in received[1:]) == b"".join(archive_of(found(f"oci:{layout}")))
    hallmark("scan", f"oci:{layout}", scanner=address)
    assert received[-1].WhichOneof("part") == "chunk"
    assert "my-image" in {part.header.name for part in received}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["archive:none.tar"], 2, "is no file"),
        (["oci:none"], 2, "no OCI image layout"),
        (["reg.example.com/shop:1", "--name", "shop"], 2, "alone"),
    ],
)
def test_what_can_not_be_sent(
    serve: Serve, hallmark: Hallmark, arguments: list[str], exit_code: int, says: str
) -> None:
    done = hallmark("scan", *arguments, scanner=serve(scanner([])))
    assert done.returncode == exit_code
    assert says in done.stderr


def test_what_the_scanner_refuses(serve: Serve, hallmark: Hallmark, layout: Path) -> None:
    done = hallmark("scan", f"oci:{layout}", scanner=serve(scanner([], "It is no archive.")))
    assert done.returncode == 2
    assert "It is no archive." in done.stderr
