"""A layer of hundreds of megabytes, made while it is read, takes no more memory than a small one."""

import subprocess
import sys

import pytest

MEASURED = """
import hashlib, io, resource, sys, tarfile, zlib
from backports import zstd
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.wishes import Essence

MIB = 2**20
NOISE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(MIB // 32))

def header(name, size):
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)

def archive(megabytes):
    for number in range(3):
        yield header(f"passed-over-{number}", megabytes * MIB // 4)
        yield from [NOISE] * (megabytes // 4)
    yield header("read.whole", megabytes * MIB // 4)
    yield from [NOISE] * (megabytes // 4)
    yield header("kept", 5) + b"hello".ljust(512, bytes(1)) + bytes(1024)

def compressed(blocks, form):
    packer = zlib.compressobj(1, wbits=31) if form == "gzip" else zstd.ZstdCompressor(level=1)
    for block in blocks:
        yield block if form == "plain" else packer.compress(block)
    if form != "plain":
        yield packer.flush()

def keep(path):
    if path == "read.whole":
        return Essence(lambda file: b"%d" % sum(len(piece) for piece in iter(lambda: file.read(MIB), b"")), 2**40)
    return 10 if path == "kept" else None

def peak(megabytes):
    found = read_layer(compressed(archive(megabytes), sys.argv[1]), keep, Limits())
    assert [one.body for _, one in found.changes] == [b"%d" % (megabytes * MIB // 4), b"hello"], found.changes
    assert found.unpacked_size > megabytes * MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small = peak(80)
print(peak(300) - small)
"""
"""Of the small layer, what is read whole is more than is held in memory already: it lies on disk."""


@pytest.mark.parametrize("form", ["gzip", "zstd", "plain"])
def test_memory_is_independent_of_a_layer_s_size(form: str) -> None:
    done = subprocess.run([sys.executable, "-c", MEASURED, form], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16_000, "kilobytes of memory more than for a layer of a quarter of the size"
