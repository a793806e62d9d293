"""Making out what a file tells while it streams by, in the place of keeping it."""

from typing import BinaryIO

import pytest
from scanner.failures import LayerTruncated
from scanner.layers.layer import File, HardLink, Other
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree
from scanner.layers.wishes import Essence, Glance, Keep, NoEssence, Parts, Wish

from tests.factories.images import Member, file, hard_link, tar

LARGEST = 40_000_000


def length(stream: BinaryIO) -> bytes | None:
    """The essence of these tests: how many bytes there are; a file of `?` matters not, one of `!` can't be read."""
    body = stream.read()
    if body.endswith(b"!"):
        raise NoEssence("It ends with an exclamation.")
    return None if body.endswith(b"?") else b"%d" % len(body)


def keep(path: str) -> Wish | None:
    if path.startswith("none/"):
        return None
    return Essence(length, LARGEST, () if path.endswith(".all") else (b"#!", b"MAGIC"))


def changes_with(wished: Keep, *members: Member) -> dict[str, object]:
    return dict(read_layer([tar(members)], wished, Limits()).changes)


def changes_of(*members: Member, block: int = 10_000) -> dict[str, object]:
    archive = tar(members)
    chunks = (archive[at : at + block] for at in range(0, len(archive), block))
    return dict(read_layer(chunks, keep, Limits()).changes)


@pytest.mark.parametrize("block", [1, 511, 100_000])
def test_content_tells_which_files_matter(block: int) -> None:
    found = changes_of(
        file("a", "MAGIC and more"), file("b", "other"), file("c", "#"), file("d"), file("e.all"), block=block
    )
    assert found == {"a": File(b"14", 2), "e.all": File(b"0", 1)}


def test_what_follows_is_read_as_well() -> None:
    found = changes_of(file("large", b"MAGIC" + b"x" * 17_000_000), file("none/x", "MAGIC"), file("after.all", "12345"))
    assert found == {"large": File(b"17000005", 8), "after.all": File(b"5", 1)}


def test_what_can_not_be_read_says_so() -> None:
    found = changes_of(file("a", "MAGIC!"), file("b", "MAGIC?"), file("c.all", b"x" * (LARGEST + 1)))
    assert found == {
        "a": File(None, 6, "It ends with an exclamation."),
        "c.all": File(None, LARGEST + 1, f"It is larger than {LARGEST} bytes."),
    }


def test_a_hard_link_counts_where_it_leads_to_what_matters() -> None:
    layer = read_layer([tar([file("a", "MAGIC"), hard_link("b", "a"), hard_link("c", "none/d")])], keep, Limits())
    assert ("b", HardLink("a", loose=True)) in layer.changes
    tree = Tree()
    tree.apply(layer)
    assert sorted(path for path, _ in tree.files()) == ["a", "b"]
    assert not tree.lost


def test_a_file_that_matters_not_takes_the_place_of_one_that_does() -> None:
    tree = Tree()
    for content in ("MAGIC", "MAGIC?"):
        tree.apply(read_layer([tar([file("a", content)])], keep, Limits()))
    assert list(tree.files()) == []
    assert changes_of(file("a", "MAGIC"), file("a", "MAGIC?"))["a"] is Other.FILE


def ends(parts: Parts) -> bytes | None:
    """Of `Gfrom-to…`, the bytes at both ends of that part; one of `?` matters not, one that is asked for more fails."""
    start, stop = asked(parts.read(0, 20))
    return None if stop == 0 else parts.read(start, 2) + parts.read(stop - 2, 2 + parts.read(0, 20).count(b"+"))


def asked(head: bytes) -> tuple[int, int]:
    start, _, stop = head[1:].partition(b" ")[0].rstrip(b"+").partition(b"-")
    return int(start), int(stop)


def glance(path: str) -> Wish | None:
    return Glance((b"G",), 20, lambda head, _: [range(*asked(head)), range(5)], ends) if path != "none" else None


@pytest.mark.parametrize("block", [1, 1000, 10_000, 2**20])
def test_parts_of_a_file(block: int) -> None:
    large = bytes(range(256)) * 400
    archive = tar([file("a", b"G1000-90000 " + large), file("b", b"G0-0 x"), file("c", "X"), file("d", b"G2-4+ ")])
    chunks = (archive[at : at + block] for at in range(0, len(archive), block))
    whole = b"G1000-90000 " + large
    found = dict(read_layer(chunks, glance, Limits()).changes)
    assert found == {"a": File(whole[1000:1002] + whole[89_998:90_000], 4), "d": File(b"-4-4+", 5)}


def test_parts_that_lie_on_disk() -> None:
    whole = b"G100-40000000 " + b"0123456789" * 4_000_000
    [(_, found)] = read_layer([tar([file("a", whole)])], glance, Limits()).changes
    assert found == File(whole[100:102] + whole[39_999_998:40_000_000], 4)


def test_parts_that_were_not_asked_for() -> None:
    found = changes_with(glance, file("a", b"G100-200+ " + bytes(300)))
    assert found == {"a": File(None, 310, "It is too large, or laid out too unusually, to be looked into.")}


def test_parts_of_a_file_that_is_cut_off() -> None:
    archive = tar([file("a", b"G100-20000 " + bytes(30_000))])
    with pytest.raises(LayerTruncated):
        read_layer([archive[:20_000]], glance, Limits())
