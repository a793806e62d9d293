"""Reading layers in every form they come in, and what they may not do."""

import gzip
import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded
from scanner.layers.layer import File, HardLink, Layer, Other, Symlink
from scanner.layers.limits import Limits
from scanner.layers.places import place
from scanner.layers.reading import read_layer

from tests.factories.images import (
    Member,
    digest_of,
    directory,
    file,
    hard_link,
    layer,
    layer_of,
    opaque,
    symlink,
    tar,
    whiteout,
)

ARCHIVE = tar([file(f"keep/{number}", bytes([number]) * 5000) for number in range(40)])


def keep(path: str) -> int | None:
    return 10_000 if path.startswith("keep") else None


DEFAULTS = Limits()


def read(blob: bytes, size: int = 4096, limits: Limits = DEFAULTS) -> Layer:
    return read_layer((blob[start : start + size] for start in range(0, len(blob), size)), keep, limits)


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
def test_every_form_gives_the_same(compression: str) -> None:
    stored = layer_of(ARCHIVE, compression)
    result = read(stored.blob)
    assert (result.digest, result.size) == (stored.digest, len(stored.blob))
    assert (result.diff_id, result.unpacked_size) == (stored.diff_id, len(ARCHIVE))
    assert [path for path, _ in result.changes] == [f"keep/{number}" for number in range(40)]


@given(st.lists(st.integers(0, len(ARCHIVE)), max_size=5), st.integers(1, 5000), st.booleans(), st.integers(0, 3))
def test_streams_of_several_members(cuts: list[int], size: int, is_gzip: bool, padding: int) -> None:
    bounds = [0, *sorted(cuts), len(ARCHIVE)]
    pieces = [ARCHIVE[start:end] for start, end in pairwise(bounds)]
    blob = b"".join((gzip.compress if is_gzip else zstd.compress)(piece) for piece in pieces)
    result = read(blob + bytes(700 * padding), size)
    assert result.diff_id == digest_of(ARCHIVE)
    assert len(result.changes) == 40


def test_zstd_frames_that_are_to_be_skipped() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    blob = skipped + zstd.compress(ARCHIVE) + skipped
    assert read(blob).diff_id == digest_of(ARCHIVE)


def test_what_follows_the_archive_belongs_to_the_digests_alone() -> None:
    result = read(ARCHIVE + tar([file("keep/hidden", b"x")]))
    assert "keep/hidden" not in dict(result.changes)
    assert result.diff_id == digest_of(ARCHIVE + tar([file("keep/hidden", b"x")]))


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_truncated_layer(compress: object, share: float) -> None:
    blob = compress(ARCHIVE.rstrip(b"\0"))  # type: ignore[operator]
    with pytest.raises(LayerTruncated):
        read(blob[: int(len(blob) * share)])


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        (gzip.compress(ARCHIVE) + b"garbage" * 9, "gzip stream is broken"),
        (gzip.compress(ARCHIVE)[:-8] + bytes(8), "gzip stream is broken"),
        (zstd.compress(ARCHIVE) + b"garbage" * 9, "zstd stream is broken"),
        (b"BZh91AY&SY" + bytes(600), "bzip2"),
        (b"\xfd7zXZ\x00" + bytes(600), "xz"),
        (b"\x7fELF" + b"\1" * 600, "no number"),
        (b'{"_type": "https://in-toto.io/Statement/v0.1"}'.ljust(600), "wrong checksum, or is no tar archive"),
    ],
)
def test_what_is_no_layer(blob: bytes, says: str) -> None:
    with pytest.raises(LayerMalformed, match=says):
        read(blob)


def endless() -> Iterator[bytes]:
    compressor = zstd.ZstdCompressor()
    zeros = bytes(1 << 20)
    yield compressor.compress(tar([file("a")])[:512])
    while True:
        yield compressor.compress(zeros, zstd.ZstdCompressor.FLUSH_BLOCK)


@pytest.mark.parametrize(
    ("limits", "bound"),
    [
        (Limits(uncompressed=50_000_000), "uncompressed"),
        (Limits(ratio_from=1_000_000, ratio=100), "ratio"),
        (Limits(compressed=1000), "compressed"),
    ],
)
def test_a_bomb_is_stopped_by_each_bound_in_little_memory(limits: Limits, bound: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded, match=f"the bound `{bound}`"):
            read_layer(endless(), keep, limits)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("archive", "limits", "bound"),
    [
        (ARCHIVE, Limits(kept=100_000), "kept"),
        (tar([symlink("a", "b" * 90) for _ in range(100)]), Limits(names=5000), "names"),
        (tar([whiteout("c" * 90) for _ in range(100)]), Limits(names=5000), "names"),
        (tar([symlink("d/" * 1900 + "s", "x")]), Limits(names=100_000), "names"),
    ],
)
def test_what_is_kept_is_bounded(archive: bytes, limits: Limits, bound: str) -> None:
    with pytest.raises(LimitExceeded, match=f"the bound `{bound}`"):
        read(archive, limits=limits)


def test_deep_directories_take_no_more_memory_than_is_counted() -> None:
    blob = gzip.compress(tar([symlink(f"{number}/" + "d/" * 1900 + "s", "x") for number in range(20)]))
    tracemalloc.start()
    result = read(blob)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.weight + 4_000_000


def test_many_tiny_streams_are_bounded() -> None:
    with pytest.raises(LimitExceeded, match="the bound `members`"):
        read(gzip.compress(b"") * 50, limits=Limits(members=20))


def test_memory_does_not_grow_with_the_layer() -> None:
    peaks = []
    for megabytes in (10, 60):
        head = tar([Member("big", b"")])[:512]
        stream = io.BytesIO()
        with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
            packed.write(head)
            packed.write(bytes(512) + bytes(megabytes << 20))
        blob = stream.getvalue()
        tracemalloc.start()
        result = read(blob)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert result.unpacked_size > megabytes << 20
    assert peaks[1] < peaks[0] + 4_000_000


def test_what_is_kept_of_a_layer() -> None:
    result = read(
        layer(
            file("keep/file", b"body"),
            file("other"),
            directory("dir"),
            symlink("link", "../target"),
            hard_link("keep/hard", "./keep/file"),
            hard_link("unkept", "keep/file"),
            whiteout("gone"),
            whiteout("deep/gone"),
            opaque("empty"),
            file(".wh..wh.aufs"),
        ).blob
    )
    assert dict(result.changes) == {
        "keep/file": File(b"body", 4),
        "link": Symlink("../target"),
        "keep/hard": HardLink("keep/file"),
    }
    assert (result.removed, result.emptied) == (("gone", "deep/gone"), ("empty",))
    assert set(result.files) == {place("other", result.key), place("unkept", result.key)}
    assert set(result.directories) == {place("dir", result.key)}


def test_what_takes_the_place_of_something_kept_is_a_change() -> None:
    result = read(layer(file("keep/a/b"), directory("keep/a"), Member("keep", b"", b"3")).blob)
    assert [change for _, change in result.changes][1:] == [Other.DIRECTORY, Other.FILE]


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
def test_a_whiteout_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(LayerMalformed, match="whiteout"):
        read(tar([file(f"d/{name}")]))


def test_a_failing_source_fails_the_reading() -> None:
    def chunks() -> Iterator[bytes]:
        yield ARCHIVE[:1000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        read_layer(chunks(), keep, Limits())


def test_digests_agree_with_hashlib() -> None:
    blob = gzip.compress(ARCHIVE)
    assert read(blob).digest == "sha256:" + hashlib.sha256(blob).hexdigest()
