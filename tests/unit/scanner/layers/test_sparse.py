"""Sparse files, as GNU tar writes them and as nobody should."""

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded, ScanFailure
from scanner.layers.archive import Entry, walk
from scanner.layers.limits import Limits
from scanner.layers.wishes import Essence, Keep

GNU_TAR = shutil.which("tar") or ""
END = bytes(1024)
NUL = b"\0"
ALL = Limits()

Parts = Sequence[tuple[int, int]]


def digits(number: int) -> bytes:
    return b"%011o\0" % number


def header(name: bytes, size: int, kind: bytes = b"0", *, fields: bytes = b"", gnu: bool = False) -> bytes:
    block = name.ljust(100, NUL) + b"0000755\0" * 3 + digits(size) + digits(0) + b" " * 8 + kind
    block = block.ljust(257, NUL) + (b"ustar  \0" if gnu else b"ustar\x0000")
    block = (block.ljust(386, NUL) + fields).ljust(512, NUL)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def pax(records: Sequence[tuple[str, object]]) -> bytes:
    body = b""
    for key, value in records:
        text = f" {key}={value}\n".encode()
        length = next(size for size in range(len(text), len(text) + 9) if len(str(size)) + len(text) == size)
        body += str(length).encode() + text
    return header(b"pax", len(body), b"x") + padded(body)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def old_gnu(size: int, parts: Parts, data: bytes) -> bytes:
    pairs = [digits(offset) + digits(length) for offset, length in parts]
    more = [pairs[at : at + 21] for at in range(4, len(pairs), 21)]
    fields = b"".join(pairs[:4]).ljust(96, NUL) + (b"\1" if more else NUL) + digits(size)
    blocks = [b"".join(block).ljust(504, NUL) + (b"\1" if block is not more[-1] else NUL) + bytes(7) for block in more]
    return header(b"s", len(data), b"S", fields=fields, gnu=True) + b"".join(blocks) + padded(data)


def in_pairs(size: int, parts: Parts, data: bytes) -> bytes:
    records: list[tuple[str, object]] = [("GNU.sparse.size", size), ("GNU.sparse.numblocks", len(parts))]
    for offset, length in parts:
        records += [("GNU.sparse.offset", offset), ("GNU.sparse.numbytes", length)]
    return pax(records) + header(b"s", len(data)) + padded(data)


def in_one_record(size: int, parts: Parts, data: bytes) -> bytes:
    numbers = ",".join(str(number) for part in parts for number in part)
    records = [("GNU.sparse.size", size), ("GNU.sparse.numblocks", len(parts)), ("GNU.sparse.map", numbers)]
    return pax([*records, ("GNU.sparse.name", "s")]) + header(b"GNUSparseFile.1/s", len(data)) + padded(data)


def in_body(size: int, parts: Parts, data: bytes) -> bytes:
    records = [
        ("GNU.sparse.major", 1),
        ("GNU.sparse.minor", 0),
        ("GNU.sparse.name", "s"),
        ("GNU.sparse.realsize", size),
    ]
    numbers = [len(parts), *(number for part in parts for number in part)]
    body = padded("".join(f"{number}\n" for number in numbers).encode()) + data
    return pax(records) + header(b"GNUSparseFile.1/s", len(body)) + padded(body)


FORMS = [old_gnu, in_pairs, in_one_record, in_body]
forms = st.sampled_from(FORMS)
plans = st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=700)), min_size=1, max_size=40)


def planned(plan: Sequence[tuple[int, bytes]]) -> tuple[Parts, bytes, bytes]:
    """The parts, the data and the whole file of a plan: a hole and data by turns."""
    parts, data, whole = [], b"", b""
    for hole, piece in plan:
        parts.append((len(whole) + hole, len(piece)))
        data += piece
        whole += bytes(hole) + piece
    return parts, data, whole


def read(archive: bytes, keep: Keep = lambda _: 1 << 30, limits: Limits = ALL) -> list[Entry]:
    return list(walk([archive[at : at + 1000] for at in range(0, len(archive), 1000)], keep, limits))


@given(forms, plans, st.integers(0, 5000))
def test_a_sparse_file_is_read_as_a_runtime_unpacks_it(
    form: Callable[[int, Parts, bytes], bytes], plan: Sequence[tuple[int, bytes]], tail: int
) -> None:
    parts, data, whole = planned(plan)
    found = read(form(len(whole) + tail, parts, data) + header(b"b", 0) + END)
    assert [(one.path, one.body, one.size) for one in found] == [
        ("s", whole + bytes(tail), len(whole) + tail),
        ("b", b"", 0),
    ]


@given(forms, plans, st.integers(0, 5000))
def test_the_first_bytes_are_enough(
    form: Callable[[int, Parts, bytes], bytes], plan: Sequence[tuple[int, bytes]], wanted: int
) -> None:
    parts, data, whole = planned(plan)
    archive = form(len(whole), parts, data) + header(b"b", 0) + END
    found = read(archive, {"s": wanted, "b": 1}.get)
    assert [one.body for one in found] == [whole[:wanted], b""]
    assert [one.body for one in read(archive, {"b": 1}.get)] == [None, b""]


@given(forms, plans, st.data())
def test_a_changed_byte_gives_a_refusal_or_entries(
    form: Callable[[int, Parts, bytes], bytes], plan: Sequence[tuple[int, bytes]], draw: st.DataObject
) -> None:
    parts, data, whole = planned(plan)
    archive = bytearray(form(len(whole), parts, data) + END)
    archive[draw.draw(st.integers(0, len(archive) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        found = read(bytes(archive), limits=Limits(holes=10_000_000))
    except ScanFailure:
        return
    assert all(one.body is None or len(one.body) <= one.size for one in found)


@pytest.mark.skipif(not GNU_TAR, reason="tar is not installed")
@pytest.mark.parametrize("form", ["gnu", "posix 0.0", "posix 0.1", "posix 1.0"])
@pytest.mark.parametrize("pieces", [1, 3, 60])
def test_what_gnu_tar_writes(tmp_path: Path, form: str, pieces: int) -> None:
    made = tmp_path / "a-file"
    with made.open("wb") as file:
        for piece in range(pieces):
            file.seek(piece * 100_000 + 4096)
            file.write(bytes([piece + 1]) * 5000)
        file.truncate(pieces * 100_000 + 77)
    name, _, version = form.partition(" ")
    options = [
        f"--format={name}",
        "--sparse",
        "--hole-detection=raw",
        *([f"--sparse-version={version}"] * bool(version)),
    ]
    archive = subprocess.run(
        [GNU_TAR, "-C", tmp_path, *options, "-cf", "-", made.name], check=True, capture_output=True
    ).stdout
    assert len(archive) < made.stat().st_size
    assert [(one.path, one.body) for one in read(archive)] == [("a-file", made.read_bytes())]


def lines(stream: BinaryIO) -> bytes:
    return b"%d" % len(stream.read())


@pytest.mark.parametrize("form", FORMS)
def test_content_and_bound_of_an_essence_are_those_of_the_file(form: Callable[[int, Parts, bytes], bytes]) -> None:
    def found(begins: bytes, largest: int, size: int = 70_000_000) -> tuple[bytes | None, str]:
        (entry,) = read(form(size, [(0, 4), (60_000_000, 3)], b"\x7fELFxyz") + END, lambda _: wish(begins, largest))
        return entry.body, entry.problem

    def wish(begins: bytes, largest: int) -> Essence:
        return Essence(lines, largest, (begins,))

    assert found(b"\x7fELF", 70_000_000) == (b"70000000", "")
    assert found(b"\x7fELF", 69_999_999) == (None, "It is larger than 69999999 bytes.")
    assert found(b"PK", 1) == (None, "")


@pytest.mark.parametrize("form", FORMS)
def test_bounds(form: Callable[[int, Parts, bytes], bytes]) -> None:
    hollow = form(10_000, [(5000, 1)], b"x")
    with pytest.raises(LimitExceeded, match="the bound `holes`"):
        read(hollow * 3 + END, limits=Limits(holes=20_000))
    assert len(read(hollow * 3 + END, lambda _: None, Limits(holes=20_000))) == 3
    wide = form(100_000, [(number * 2, 1) for number in range(300)], b"x" * 300)
    with pytest.raises(LimitExceeded, match="the bound `special_header`"):
        read(wide + END, limits=Limits(special_header=1000))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("parts", "data"),
    [([(5, 3), (0, 3)], b"abcdef"), ([(0, 4), (3, 2)], b"abcdef"), ([(9, 3)], b"abc"), ([(0, 3)], b"abcd"), ([], b"a")],
)
def test_maps_that_fit_nothing(form: Callable[[int, Parts, bytes], bytes], parts: Parts, data: bytes) -> None:
    with pytest.raises(LayerMalformed, match="sparse file"):
        read(form(10, parts, data) + END)


SIZE = ("GNU.sparse.size", 3)


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (pax([SIZE]) + header(b"a", 0), "unknown format"),
        (pax([SIZE, ("GNU.sparse.major", 2), ("GNU.sparse.minor", 0)]) + header(b"a", 0), "unknown format"),
        (pax([SIZE, ("GNU.sparse.map", "0,1"), ("GNU.sparse.offset", 0)]) + header(b"a", 0), "unknown format"),
        (pax([SIZE, ("GNU.sparse.numbytes", 0), ("GNU.sparse.offset", 0)]) + header(b"a", 0), "unknown format"),
        (pax([("GNU.sparse.map", "0,0")]) + header(b"a", 0), "its size"),
        (pax([SIZE, ("GNU.sparse.realsize", 4), ("GNU.sparse.map", "0,0")]) + header(b"a", 0), "or two"),
        (pax([SIZE, ("GNU.sparse.map", "0,0,0")]) + header(b"a", 0), "does not fit"),
        (pax([SIZE, ("GNU.sparse.map", "0,x")]) + header(b"a", 0), "no number"),
        (pax([SIZE, ("GNU.sparse.map", "0,0")]) + header(b"a", 0, b"5"), "makes a sparse file"),
        (pax([SIZE, ("GNU.sparse.map", "0,0")]) + old_gnu(3, [], b""), "makes a sparse file"),
        (header(b"a", 0, b"S", fields=bytes(97) + digits(3)), "unknown format"),
        (in_body(3, [(0, 3)], b"abc").replace(b"1\n0\n3\n", b"9" * 512), "is none"),
        (in_body(3, [(0, 3)], b"abc").replace(b"1\n0\n3\n", b"1\n0\nx\n"), "no number"),
    ],
)
def test_what_readers_could_understand_differently_is_refused(archive: bytes, says: str) -> None:
    with pytest.raises(LayerMalformed, match=says):
        read(archive + END)


@pytest.mark.parametrize("form", FORMS)
def test_an_end_within_a_map_or_the_data(form: Callable[[int, Parts, bytes], bytes]) -> None:
    archive = form(9000, [(number * 100, 10) for number in range(60)], b"x" * 600)
    for end in range(len(archive) - 1024, len(archive), 512):
        with pytest.raises(LayerTruncated):
            read(archive[:end])


def test_python_s_reader_agrees(tmp_path: Path) -> None:
    parts, data, whole = planned([(600, b"a" * 600), (3, b"b" * 20), (70_000, b"c")])
    for form in FORMS:
        stored = tmp_path / "archive"
        stored.write_bytes(form(len(whole), parts, data) + END)
        with tarfile.open(stored) as archive:
            stream = archive.extractfile(archive.getmembers()[0])
            assert stream is not None
            assert stream.read() == whole
