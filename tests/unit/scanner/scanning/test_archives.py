"""Images that come in an archive: found in it, scanned as others are, and never taken for one of a registry."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from backports import zstd
from chassis.errors import PermissionDenied, Refusal
from hypothesis import given
from hypothesis import strategies as st
from registry.errors import HostNotConfigured
from registry.references import parse_reference
from scanner import uploads
from scanner.archives.archive import limits_of, take_in
from scanner.archives.layout import find_image
from scanner.archives.naming import HOST
from scanner.errors import (
    ImageArchiveBroken,
    ImageArchiveTooLarge,
    ImageArchiveUnclear,
    NoRoom,
    TooManyArchives,
    UploadTooSlow,
)
from scanner.failures import ScanFailure
from scanner.layers.limits import Limits
from scanner.risk.model import ImageRisk, RiskState
from scanner.runner import Bounds
from scanner.scan_records import Scan, ScanState
from scanner.uploads import Upload

from tests.factories.archives import blob_path, layout, layout_members, saved_members
from tests.factories.images import (
    Image,
    Member,
    file,
    hard_link,
    image,
    index,
    layer,
    symlink,
    tar,
    wheel,
)
from tests.factories.scanning import DEVELOPER, Scanning, chunks_of, narrowed, scanning

ONE, TWO = layer(wheel("one", "1")), layer(wheel("two", "2"))
UPLOAD = Upload(f"{HOST}/app", "", "")


def packages(scan: Scan) -> list[tuple[str, dict[str, int]]]:
    assert scan.summary is not None, scan.failure
    return [(one.platform, dict(one.packages)) for one in scan.summary.platforms]


async def risk_of(bench: Scanning, made: Image) -> ImageRisk:
    async with bench.store.read() as unit:
        found = await unit.risks.get(UPLOAD.repository, made.digest)
        assert found is not None
        return found


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd.compress])
async def test_a_layout_is_scanned_by_the_digest_that_a_registry_would_have(bench: Scanning, compress: object) -> None:
    made = index(image(ONE), image(ONE, TWO, platform="linux/arm64"))
    scan = await bench.upload(compress(layout(made)), tag="1.2")  # type: ignore[operator]
    assert (scan.request.repository, scan.request.digest, scan.request.tag) == (
        "archive.invalid/app",
        made.digest,
        "1.2",
    )
    assert packages(scan) == [("linux/amd64", {"PyPI": 1}), ("linux/arm64", {"PyPI": 2})]
    view = await bench.viewer.image(DEVELOPER, "archive.invalid/app", made.digest)
    assert (view.image.tags, (await risk_of(bench, made)).state) == (("1.2",), RiskState.SCANNED)


async def test_what_docker_saves_is_scanned(bench: Scanning) -> None:
    body = tar(saved_members([ONE, TWO]))
    scan = await bench.upload(body)
    assert packages(scan) == [("linux/amd64", {"PyPI": 2})]
    assert (await bench.upload(body)).request.digest == scan.request.digest, "the same image is the same image"


async def test_an_archive_never_passes_for_an_image_of_a_registry(bench: Scanning) -> None:
    made = image(ONE)
    await bench.upload(layout(made))
    assert (await bench.risk(made.digest)).state is RiskState.NOT_SCANNED
    assert [one.name for one in (await bench.viewer.repositories(DEVELOPER, "", 10)).records] == ["archive.invalid/app"]
    with pytest.raises(HostNotConfigured):
        await bench.desk.scan_image(DEVELOPER, parse_reference(f"{HOST}/app@{made.digest}"), force=True)


async def test_a_binding_that_does_not_cover_archives_sends_none(bench: Scanning) -> None:
    with pytest.raises(PermissionDenied):
        await bench.uploads.scan(narrowed("developer", "reg.example.com/**"), UPLOAD, chunks_of(layout(image(ONE))))


async def test_each_sending_is_read(bench: Scanning) -> None:
    body = layout(image(ONE))
    first, second = await bench.upload(body), await bench.upload(body)
    assert first.scan_id != second.scan_id
    asked = [await bench.uploads.scan(DEVELOPER, UPLOAD, chunks_of(body)) for _ in range(2)]
    assert asked[0].scan_id == asked[1].scan_id, "what waits is joined"
    await bench.do_all()
    assert (await bench.get(asked[0].scan_id)).state is ScanState.SUCCEEDED


async def test_a_platform_that_is_not_in_the_archive_leaves_it_incomplete(bench: Scanning) -> None:
    here, absent = image(ONE), image(TWO, platform="linux/arm64")
    whole = index(here, absent)
    scan = await bench.upload(layout(whole, without=[absent.digest, TWO.digest]))
    assert packages(scan) == [("linux/amd64", {"PyPI": 1})]
    risk = await risk_of(bench, whole)
    assert risk.state is RiskState.INCOMPLETE
    assert risk.reasons == (f"linux/arm64 ({absent.digest}) is not in the archive.",)


async def test_one_of_several_images_is_named(bench: Scanning) -> None:
    one, two = image(ONE), image(TWO)
    body = layout(one, two, names=["reg.example/one:1", "two"])
    for wanted, made in {"two": two, one.digest: one, "reg.example/one:1": one}.items():
        assert (await bench.upload(body, wanted=wanted)).request.digest == made.digest
    for wanted in ("", "three"):
        with pytest.raises(ImageArchiveUnclear, match=r"reg\.example/one:1, two"):
            await bench.upload(body, wanted=wanted)
    with pytest.raises(ImageArchiveUnclear, match="none"):
        await bench.upload(layout())


async def test_an_image_named_twice_is_one(bench: Scanning) -> None:
    made = image(ONE)
    assert (await bench.upload(layout(made, made, names=["a", "b"]))).request.digest == made.digest


async def test_layers_that_are_links_in_the_archive(bench: Scanning) -> None:
    members = saved_members([ONE, TWO])
    moved = [replace(one, path=f"kept/{place}") for place, one in enumerate(members[:2])]
    links = [symlink(members[0].path, "../kept/0"), hard_link(members[1].path, "kept/1")]
    assert packages(await bench.upload(tar([*moved, *links, *members[2:]]))) == [("linux/amd64", {"PyPI": 2})]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../etc/passwd", "manifest.json/x", "circle", "../a/b"])
async def test_links_lead_to_nothing_outside_of_the_archive(bench: Scanning, target: str) -> None:
    members = saved_members([ONE])
    circle = [symlink("circle", "circle"), symlink("a", "b")]
    with pytest.raises(ImageArchiveBroken, match="does not hold the file"):
        await bench.upload(tar([symlink(members[0].path, target), *circle, *members[1:]]))


def with_index(**members: object) -> bytes:
    return tar([file("index.json", json.dumps({"schemaVersion": 2, "manifests": []} | members))])


def with_saved(body: object) -> bytes:
    return tar([file("manifest.json", json.dumps(body))])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "neither index.json nor manifest.json"),
        (b"PK\x03\x04" + bytes(600), "The archive is compressed by zip"),
        (b"noise" * 300, "The archive holds a header"),
        (layout(image(ONE))[:3000], "The archive ends in the middle"),
        (gzip.compress(layout(image(ONE)))[:-9], "The archive's gzip stream ends"),
        (tar([file("../index.json", "{}"), file("index.json", "{}")]), "two files index.json"),
        (tar([file("/x/../index.json", "{}"), symlink("index.json", "x")]), "two files index.json"),
        (tar([file("index.json", "{")]), "index.json can't be read"),
        (tar([file("index.json", "[" * 100_000)]), "index.json can't be read"),
        (
            tar([file("index.json", '{"schemaVersion": 2, "manifests": [], "manifests": []}')]),
            "index.json can't be read",
        ),
        (with_index(manifests=[{"digest": "sha256:../../x"}]), "index.json can't be read"),
        (with_index(manifests=[{}] * 1001), "index.json can't be read"),
        (with_saved({}), "manifest.json can't be read"),
        (with_saved([{"Config": 1}]), "manifest.json can't be read"),
        (tar([file("manifest.json", "[" * 100_000)]), "manifest.json can't be read"),
        (with_saved([{"Config": "c", "Layers": ["l"] * 1001}]), "manifest.json can't be read"),
        (with_saved([{"Config": "c", "Layers": []}]), "does not hold the file c"),
        (with_saved([{"Config": "../../etc/passwd", "Layers": []}]), "does not hold the file ../../etc/passwd"),
    ],
    ids=lambda value: None,
)
async def test_what_is_no_archive_of_an_image(bench: Scanning, body: bytes, says: str) -> None:
    with pytest.raises(ImageArchiveBroken, match=says):
        await bench.upload(body)
    assert not (await bench.viewer.repositories(DEVELOPER, "", 10)).records


@pytest.mark.parametrize(
    ("body", "bound"),
    [
        (tar([file("a", bytes(50_000_000))]), "compressed"),
        (gzip.compress(tar([file("a", bytes(60_000_000))])), "uncompressed"),
        (tar([file("index.json", " " * (4 * 2**20 + 1))]), "file"),
        (tar([file("d/" * 2050)]), "path"),
    ],
    ids=lambda value: None,
)
async def test_bounds_of_an_archive(bench: Scanning, body: bytes, bound: str) -> None:
    with pytest.raises(ImageArchiveTooLarge, match=f"the bound `{bound}`"):
        await bench.upload(body)


async def test_members_and_names_are_counted(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.archives.archive._MOST_MEMBERS", 2)
    with pytest.raises(ImageArchiveTooLarge, match="the bound `members`"):
        await bench.upload(layout(image(ONE)))
    monkeypatch.undo()
    monkeypatch.setattr("scanner.archives.archive._MOST_NAMES", 100)
    with pytest.raises(ImageArchiveTooLarge, match="the bound `names`"):
        await bench.upload(layout(image(ONE)))


def changed(made: Image, digest: str, body: bytes) -> bytes:
    """A layout in which other bytes lie as a blob."""
    return tar([replace(one, body=body) if one.path == blob_path(digest) else one for one in layout_members(made)])


GOOD = image(ONE)
CONFIG = next(digest for digest in GOOD.blobs if digest != ONE.digest)
TOO_DEEP = index(index(index(index(GOOD))))


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (layout(GOOD, without=[GOOD.digest]), "ARCHIVE_INCOMPLETE", f"blobs/sha256/{GOOD.digest[7:]}"),
        (layout(GOOD, without=[CONFIG]), "ARCHIVE_INCOMPLETE", f"blobs/sha256/{CONFIG[7:]}"),
        (layout(GOOD, without=[ONE.digest]), "ARCHIVE_INCOMPLETE", f"blobs/sha256/{ONE.digest[7:]}"),
        (changed(GOOD, GOOD.digest, image(TWO).body), "DIGEST_MISMATCH", "another digest"),
        (changed(GOOD, CONFIG, b"{}"), "DIGEST_MISMATCH", "another digest"),
        (changed(GOOD, ONE.digest, ONE.blob[:-1] + b"\1"), "LAYER_MALFORMED", "gzip"),
        (changed(GOOD, ONE.digest, TWO.blob[: len(ONE.blob)]), "DIGEST_MISMATCH", "bytes"),
        (changed(GOOD, ONE.digest, ONE.blob + b"\0"), "DIGEST_MISMATCH", "bytes, not"),
        (changed(GOOD, GOOD.digest, b" " * (4 * 2**20 + 1)), "LIMIT_EXCEEDED", "the bound `file`"),
        (layout(TOO_DEEP), "LIMIT_EXCEEDED", "the bound `nesting`"),
        (layout(Image(b"[" * 100_000, GOOD.media_type)), "UNSUPPORTED_MANIFEST", "can't be read"),
        (layout(Image(b"{}", GOOD.media_type)), "UNSUPPORTED_MANIFEST", "schemaVersion"),
    ],
    ids=lambda value: None,
)
async def test_images_that_can_not_be_read(bench: Scanning, body: bytes, reason: str, says: str) -> None:
    scan = await bench.upload(body)
    assert scan.failure is not None
    assert scan.failure.reason == reason
    assert says in scan.failure.message
    with pytest.raises(ScanFailure):
        bench.shelf.source(scan.scan_id)


async def test_what_is_in_the_cache_says_nothing_of_what_is_in_an_archive(bench: Scanning, tmp_path: Path) -> None:
    bench.cache_layers(tmp_path / "layers")
    await bench.upload(changed(GOOD, ONE.digest, TWO.blob.ljust(len(ONE.blob), b"\0")[: len(ONE.blob)]))
    scan = await bench.scan(GOOD)
    assert packages(scan) == [("linux/amd64", {"PyPI": 1})]


async def test_a_sparse_file_is_refused(bench: Scanning) -> None:
    members = layout_members(GOOD)
    body = bytearray(tar([Member("sparse", kind=b"S"), *members], 1))
    with pytest.raises(ImageArchiveBroken, match="sparse"):
        await bench.upload(bytes(body))


async def test_only_so_many_archives_are_held(bench: Scanning) -> None:
    for made in (image(ONE), image(TWO)):
        await bench.uploads.scan(DEVELOPER, UPLOAD, chunks_of(layout(made)))
    with pytest.raises(TooManyArchives) as refusal:
        await bench.upload(layout(image(ONE, TWO)))
    assert refusal.value.retry_after
    await bench.do_all()
    assert (await bench.upload(layout(image(ONE, TWO)))).state is ScanState.SUCCEEDED


async def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    async with scanning(tmp_path, Bounds(), Limits()) as bench:
        await bench.uploads.scan(DEVELOPER, UPLOAD, chunks_of(layout(GOOD)))
        assert not list((tmp_path / "archives").iterdir()), "a file without a name"
        await bench.do_all()
        (tmp_path / "archives").rmdir()
        with pytest.raises(NoRoom):
            await bench.upload(layout(GOOD))


async def test_a_scan_whose_archive_is_lost_fails(tmp_path: Path) -> None:
    async with scanning(tmp_path, Bounds(), Limits()) as bench:
        scan = await bench.uploads.scan(DEVELOPER, UPLOAD, chunks_of(layout(GOOD)))
    async with scanning(tmp_path, Bounds(), Limits()) as bench:
        await bench.do_all()
        found = await bench.get(scan.scan_id)
        assert found.failure is not None
        assert found.failure.reason == "ARCHIVE_LOST"
        again = await bench.upload(layout(GOOD))
        assert again.state is ScanState.SUCCEEDED


async def never() -> AsyncIterator[bytes]:
    yield layout(GOOD)[:600]
    await asyncio.Event().wait()


@pytest.mark.parametrize("bound", ["LONGEST_SILENCE", "LONGEST_UPLOAD"])
async def test_an_archive_that_does_not_come(bench: Scanning, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(uploads, bound, 0.05)
    with pytest.raises(UploadTooSlow):
        await bench.uploads.scan(DEVELOPER, UPLOAD, never())
    monkeypatch.undo()
    assert (await bench.upload(layout(GOOD))).state is ScanState.SUCCEEDED


async def test_who_hangs_up_leaves_room(bench: Scanning) -> None:
    for _ in range(3):
        sending = asyncio.ensure_future(bench.uploads.scan(DEVELOPER, UPLOAD, never()))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert (await bench.upload(layout(GOOD))).state is ScanState.SUCCEEDED


@given(st.integers(0, 5000), st.integers(1, 255))
def test_a_changed_byte_gives_an_image_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, at: int, by: int) -> None:
    body = bytearray(layout(GOOD) if by % 2 else tar(saved_members([ONE])))
    body[at % len(body)] ^= by
    with (tmp_path_factory.mktemp("archive") / "file").open("w+b") as made:
        try:
            assert find_image(take_in([bytes(body)], made, limits_of(10_000_000)), "").digest.startswith("sha256:")
        except (ScanFailure, Refusal):
            return
