"""Walking archives, with Python's tarfile as the oracle of good ones."""

import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.failures import LayerMalformed, LayerTruncated, LimitExceeded, ScanFailure
from scanner.layers.archive import Entry, walk
from scanner.layers.headers import Kind
from scanner.layers.limits import Limits
from scanner.layers.paths import normalise

from tests.factories.images import Member, directory, file, hard_link, symlink, tar

_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.LNKTYPE: Kind.HARD_LINK,
    tarfile.SYMTYPE: Kind.SYMBOLIC_LINK,
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.FIFOTYPE: Kind.SPECIAL,
    tarfile.CHRTYPE: Kind.SPECIAL,
}

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300)
members = st.builds(Member, names, st.binary(max_size=2000), st.sampled_from(sorted(_KINDS)), names)
forms = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


DEFAULTS = Limits()


def entries(archive: bytes, size: int = 10_000, limits: Limits = DEFAULTS) -> list[Entry]:
    return list(walk(cut(archive, size), lambda _: 1 << 30, limits))


def by_tarfile(archive: bytes) -> list[Entry]:
    listed = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for info in opened:
            stream = opened.extractfile(info) if info.isreg() else None
            link = info.linkname if info.issym() or info.islnk() else ""
            body = stream.read() if stream else None
            size = len(body or b"")
            listed.append(Entry(_KINDS[info.type], normalise(info.name), link, size, body, "", info.offset_data))
    return listed


def made(content: list[Member]) -> list[Member]:
    """Only files have a body, and only links a target."""
    return [
        Member(
            one.path,
            one.body if one.kind == tarfile.REGTYPE else b"",
            one.kind,
            one.link if one.kind in {tarfile.LNKTYPE, tarfile.SYMTYPE} else "",
        )
        for one in content
    ]


@given(st.lists(members, max_size=8), forms, st.integers(1, 3000))
def test_finds_what_tarfile_finds(content: list[Member], form: int, size: int) -> None:
    archive = tar(made(content), form)
    assert entries(archive, size) == by_tarfile(archive)


@given(st.lists(members, min_size=1, max_size=5), forms, st.data())
def test_a_cut_archive_is_refused_or_lacks_whole_entries(content: list[Member], form: int, data: st.DataObject) -> None:
    archive = tar(made(content), form)
    whole = entries(archive)
    short = archive[: data.draw(st.integers(0, len(archive) - 1))]
    try:
        found = entries(short)
    except LayerTruncated:
        return
    assert found == whole[: len(found)]
    assert len(short) % 512 == 0 or len(found) == len(whole)


@given(st.binary(max_size=3000))
def test_noise_is_refused_or_is_no_entry(noise: bytes) -> None:
    try:
        found = entries(noise)
    except ScanFailure:
        return
    else:
        assert found == []
        assert noise.strip(b"\0") == b"" or noise.startswith(bytes(1024))


@given(st.lists(members, min_size=1, max_size=3), forms, st.data())
def test_a_changed_byte_in_a_header_is_noticed(content: list[Member], form: int, data: st.DataObject) -> None:
    archive = bytearray(tar(made(content), form))
    place = data.draw(st.integers(0, 511))
    archive[place] ^= data.draw(st.sampled_from([1, 4, 64]))
    with pytest.raises(ScanFailure):
        entries(bytes(archive))


def test_only_asked_for_bytes_are_kept() -> None:
    archive = tar([file("a", b"12345"), file("b", b"67890"), file("c", b"x" * 700)])
    kept = [(one.path, one.body, one.size) for one in walk([archive], {"a": 2, "c": 800}.get, Limits())]
    assert kept == [("a", b"12", 5), ("b", None, 5), ("c", b"x" * 700, 700)]


def header(name: bytes, size: bytes, kind: bytes = b"0", magic: bytes = b"ustar\x0000", link: bytes = b"") -> bytes:
    fields = name.ljust(100, b"\0") + b"0000755\0" * 3 + size.ljust(12, b"\0") + b"00000000000\0" + b" " * 8 + kind
    block = (fields + link.ljust(100, b"\0") + magic).ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def pax(*records: tuple[str, str]) -> bytes:
    body = b""
    for key, value in records:
        text = f" {key}={value}\n"
        length = len(text.encode()) + len(str(len(text.encode()) + 2))
        body += f"{length}{text}".encode()
    return header(b"pax", b"%011o" % len(body), b"x") + body.ljust(-(-len(body) // 512) * 512, b"\0")


END = bytes(1024)


def test_sizes_in_base_256() -> None:
    found = entries(header(b"a", b"\x80" + (3).to_bytes(11, "big")) + b"abc".ljust(512, b"\0") + END)
    assert [(one.size, one.body) for one in found] == [(3, b"abc")]


def test_the_size_of_a_pax_header_counts() -> None:
    found = entries(pax(("size", "600")) + header(b"a", b"0") + b"y" * 600 + bytes(424) + header(b"b", b"0") + END)
    assert [(one.path, one.size) for one in found] == [("a", 600), ("b", 0)]


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (header(b"a", b"0", b"Z") + END, "unknown type"),
        (header(b"a", b"12x") + END, "size is no number"),
        (header(b"a", b"\xff" * 12) + END, "out of range"),
        (header(b"a", b"0\x007") + END, "size is no number"),
        (header(b"d/", b"1", b"\0") + bytes(512) + END, "directory with a body"),
        (pax(("size", "-1")) + header(b"a", b"0") + END, "no number"),
        (pax(("size", "1_0")) + header(b"a", b"0") + END, "no number"),
        (pax(("path", "a\0b")) + header(b"a", b"0") + END, "NUL"),
        (pax(("path", "a")) + pax(("path", "b")) + header(b"c", b"0") + END, "more than one"),
        (pax(("GNU.sparse.name", "x")) + header(b"c", b"0") + END, "unknown format"),
        (
            header(b"p", b"00000000012", b"x") + b"99 a=b\n".ljust(512, b"\0") + header(b"a", b"0") + END,
            "malformed PAX",
        ),
        (header(b"g", b"00000000012", b"g") + b"10 path=a\n".ljust(512, b"\0") + header(b"a", b"0") + END, "global"),
        (header(b"a", b"0") + bytes(512) + header(b"b", b"0") + END, "single block of zeros"),
    ],
)
def test_what_readers_could_understand_differently_is_refused(archive: bytes, says: str) -> None:
    with pytest.raises(LayerMalformed, match=says):
        entries(archive)


def test_a_name_from_two_sources_is_refused() -> None:
    long_name = header(b"././@LongLink", b"00000000002", b"L") + b"x\0".ljust(512, b"\0")
    with pytest.raises(LayerMalformed, match="both"):
        entries(pax(("path", "y")) + long_name + header(b"a", b"0") + END)


@pytest.mark.parametrize(
    ("archive", "bound"),
    [
        (tar([file(f"f{n}") for n in range(11)]), "members"),
        (tar([file("d/" * 600)]), "path"),
        (tar([symlink("a", "d/" * 600)]), "path"),
        (header(b"x", b"77777777777", b"x"), "special_header"),
        (header(b"x", b"77777777777", b"L"), "special_header"),
    ],
)
def test_bounds(archive: bytes, bound: str) -> None:
    with pytest.raises(LimitExceeded, match=f"the bound `{bound}`"):
        entries(archive, limits=Limits(members=10, path=1000, special_header=10_000))


@pytest.mark.parametrize("archive", [header(b"a", b"00000001000") + b"short", pax(("path", "a")), b"x" * 511])
def test_an_end_within_an_entry(archive: bytes) -> None:
    with pytest.raises(LayerTruncated):
        entries(archive)


@pytest.mark.parametrize(
    ("name", "path"),
    [("/etc/x", "etc/x"), ("./etc//x/", "etc/x"), ("../../x", "x"), ("a/../../b", "b"), ("a/./b/..", "a"), (".", "")],
)
def test_no_path_leads_out_of_the_root(name: str, path: str) -> None:
    assert [one.path for one in entries(tar([file(name)], tarfile.USTAR_FORMAT))] == [path]


def test_kinds() -> None:
    found = entries(tar([directory("d"), symlink("s", "d"), hard_link("h", "x")]))
    assert [(one.kind, one.link) for one in found] == [
        (Kind.DIRECTORY, ""),
        (Kind.SYMBOLIC_LINK, "d"),
        (Kind.HARD_LINK, "x"),
    ]
