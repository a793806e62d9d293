"""Whatever an image holds, there is an inventory that can be stored and sent, or a typed failure."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st
from scanner.failures import ScanFailure
from scanner.inventory.taking import keep, keep_also, needed_besides, take_inventory
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree
from scanner.layers.wishes import Keep

from tests.factories.images import Member, directory, file, hard_link, opaque, symlink, tar, whiteout
from tests.factories.jars import MANIFEST, jar

PATHS = st.sampled_from(
    [
        "etc/os-release",
        "usr/lib/os-release",
        "var/lib/dpkg/status",
        "var/lib/dpkg/status.d/a",
        "lib/apk/db/installed",
        "var/lib/rpm/rpmdb.sqlite",
        "bin/sh",
        "lib/libc.so.6",
        "a-1.dist-info/METADATA",
        "a-1.dist-info",
        "x/b.egg-info",
        "x/b.egg-info/PKG-INFO",
        "node_modules",
        "node_modules/a/package.json",
        "app/node_modules/@s/b/package.json",
        "deps",
        "deps/c/package.json",
        "caf\udce9/node_modules/q/package.json",
        "app/caf\udce9-1.jar",
        "app/b-1.egg",
        "gems/specifications/c.gemspec",
        "pip/_vendor/vendor.txt",
        "app/requirements.txt",
        "app/yarn.lock",
        "app/Cargo.lock",
    ]
)
WORDS = st.sampled_from(
    [b"demo", b"1.0", b"1:2:3~~", b"9" * 260, b"1\0", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xae1", b"@s/b", b"x\x1b[31m"]
)
RECORDS = st.builds(
    lambda form, first, second: form % (first, second),
    st.sampled_from(
        [
            b"Package: a\nVersion: %s\nArchitecture: %s\n\n",
            b"Package: %s\nVersion: 1\nSource: %s\n\n",
            b"Name: %s\nVersion: %s\n",
            b"P:a\nV:%s\no:%s\n\n",
            b"ID=%s\nVERSION_ID=%s\n",
            b'# stub: %s %s x lib\ns.platform = "\0"\n',
            b"%s@1:\n  version %s\n",
            b'[[package]]\nname = "%s"\nversion = "%s"\nsource = "x"\n',
            b"%s==%s\n",
        ]
    ),
    WORDS,
    WORDS,
) | st.sampled_from([b"ID=debian\nVERSION_ID=12\n", b"ID=alpine\nVERSION_ID=3.20.1\n", b"Package: a\nVersion: 1\n\n"])
DESCRIPTIONS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "@s/b", "a\0", "\ud800"]), "version": st.sampled_from(["1.0.0", "1\0", "\ud800"])}
).map(lambda told: json.dumps(told).encode())
ARCHIVES = st.builds(
    lambda name, version: jar({f"lib/{name}.jar": jar({MANIFEST: b"Implementation-Version: " + version + b"\n\n"})}),
    st.sampled_from(["a", "a:b", "\u202e-1", " ", "x" * 300]),
    WORDS,
)
BODIES = ARCHIVES | st.lists(RECORDS, max_size=4).map(b"".join) | DESCRIPTIONS | st.binary(max_size=40)
MEMBERS = st.one_of(
    st.builds(file, PATHS, BODIES),
    st.builds(file, PATHS, BODIES),
    st.builds(symlink, PATHS, PATHS.map("/".__add__) | st.sampled_from(["..", "/", "deps"])),
    st.builds(hard_link, PATHS, PATHS),
    st.builds(directory, PATHS),
    st.builds(whiteout, PATHS),
    st.builds(opaque, PATHS),
)


def assembled(layers: list[list[Member]], wanted: Keep) -> Tree:
    tree = Tree()
    for members in layers:
        tree.apply(read_layer([tar(members)], wanted, Limits()))
    return tree


def texts(value: object) -> Iterator[str]:
    """Every text in what dataclasses, sequences and mappings are made of."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in texts(one))
    elif isinstance(value, list | tuple):
        yield from (text for one in value for text in texts(one))


@settings(max_examples=400)
@given(st.lists(st.lists(MEMBERS, max_size=7), min_size=1, max_size=3))
def test_whatever_an_image_holds(layers: list[list[Member]]) -> None:
    try:
        tree = assembled(layers, keep)
        besides = needed_besides(tree)
        told = list(texts(asdict(take_inventory(assembled(layers, keep_also(besides)) if besides else tree))))
    except ScanFailure as failure:
        told = [failure.message]
    for text in told:
        assert "\0" not in text, "not every database takes it"
        text.encode()
