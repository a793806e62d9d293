"""A real Debian root file system, read by us and asked of dpkg itself."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from scanner.inventory.model import Inventory
from scanner.inventory.taking import keep, take_inventory
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree

from tests.tools.debian import ToolMissing, mmdebstrap

_FORMAT = "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a Debian with a Python package. Skips where none can be built; in CI that is a failure."""
    if os.geteuid() != 0 or not shutil.which("dpkg-query"):
        pytest.skip("a Debian is built by root on Debian alone")
    try:
        tool = mmdebstrap()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    archive = tmp_path_factory.mktemp("debian") / "root.tar"
    options = ["--quiet", "--variant=minbase", "--mode=root", "--include=python3-yaml"]
    command = [*tool.command, *options, "bookworm", str(archive)]
    subprocess.run(command, env={**os.environ, **tool.variables}, check=True, capture_output=True)
    return archive


@pytest.fixture(scope="module")
def found(root: Path) -> Inventory:
    with root.open("rb") as file:
        tree = Tree()
        tree.apply(read_layer(iter(lambda: file.read(1 << 20), b""), keep, Limits()))
        return take_inventory(tree)


@pytest.mark.timeout(300)
def test_every_package_that_dpkg_knows_and_no_other(root: Path, found: Inventory, tmp_path: Path) -> None:
    with tarfile.open(root) as archive:
        database = [member for member in archive if member.name.startswith("./var/lib/dpkg/")]
        archive.extractall(tmp_path, members=database, filter="data")
    asked = ["dpkg-query", f"--admindir={tmp_path}/var/lib/dpkg", "-W", f"--showformat={_FORMAT}"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    expected = {tuple(line.split()[1:]) for line in told if line.startswith("installed ")}
    packages = [one for one in found.packages if one.ecosystem == "Debian:12"]
    ours = {(one.name, one.version, one.arch, one.source_name, one.source_version) for one in packages}
    assert len(expected) > 80
    assert ours == expected
    assert len(packages) == len(expected)


def test_nothing_is_missing_and_what_debian_owns_is_told(found: Inventory) -> None:
    assert (found.gaps, found.unsupported, found.unreadable) == ((), None, ())
    assert {one.name: one.owner for one in found.packages if one.ecosystem == "PyPI"}["PyYAML"] == "pyyaml"
