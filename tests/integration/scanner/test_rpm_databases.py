"""Databases that rpm itself and Berkeley DB's own tool have written."""

import hashlib
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from scanner.inventory.ownership.rpm import OwnedFile
from scanner.inventory.rpm import Installed, essence, read_files, read_installed

from tests.factories.rpms import berkeley_dump
from tests.tools.debian import ToolMissing, rpm_tools

_SPEC = """\
Name: hello
Version: 2.10
Release: 3.el9
Epoch: 1
Summary: A greeting
License: MIT
ModularityLabel: hello:2:90300:0123
%description
It greets.
%package -n hello-libs
Summary: Its library
%description -n hello-libs
It helps to greet.
%install
mkdir -p %{buildroot}/usr/share/hello
for number in $(seq 300); do echo hello > %{buildroot}/usr/share/hello/a-rather-long-name-of-a-file-$number; done
%files
/usr/share/hello
%files -n hello-libs
"""
_EXPECTED = {
    Installed(name, "1:2.10-3.el9", "x86_64", "hello", "2.10-3.el9", "hello:2") for name in ("hello", "hello-libs")
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `rpmdb.sqlite`, in which rpm has installed two packages that it built."""
    folder = tmp_path_factory.mktemp("rpm")
    (folder / "hello.spec").write_text(_SPEC)
    build = ["rpmbuild", "-bb", "--target", "x86_64", "--define", f"_topdir {folder}", "--define", "_buildhost here"]
    run(*build, folder / "hello.spec")
    built = sorted(folder.glob("RPMS/*/*.rpm"))
    install = ["--justdb", "--nodeps", "--noscripts", "--ignorearch", "--ignoreos", "-i"]
    run("rpm", "--define", "_db_backend sqlite", "--dbpath", folder, *install, *built)
    return folder


def run(program: str, *arguments: str | Path) -> None:
    """Run one of rpm's tools. Skips where there is none to be had; in CI that is a failure."""
    try:
        user = rpm_tools()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    libraries = next(path.parent for path in user.glob("lib/*/librpm.so.9"))
    environment = {
        **os.environ,
        "PATH": f"{user / 'bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
        "RPM_CONFIGDIR": str(user / "lib/rpm"),
    }
    done = subprocess.run([user / "bin" / program, *arguments], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def told(path: Path) -> set[Installed | str]:
    with path.open("rb") as file:
        return set(read_installed(essence(file)))


def test_what_rpm_wrote(written: Path) -> None:
    assert told(written / "rpmdb.sqlite") == _EXPECTED


def test_the_files_that_rpm_wrote_down(written: Path) -> None:
    with (written / "rpmdb.sqlite").open("rb") as file:
        files = {one.path: one for one in read_files(essence(file))}
    assert len(files) == 300, "the directory itself has no digest"
    digest = "sha256:" + hashlib.sha256(b"hello\n").hexdigest()
    path = "usr/share/hello/a-rather-long-name-of-a-file-7"
    assert files[path] == OwnedFile("hello", "1:2.10-3.el9", "x86_64", path, digest)


def test_headers_of_rpm_in_berkeley_db(written: Path) -> None:
    connection = sqlite3.connect(written / "rpmdb.sqlite")
    headers = [blob for (blob,) in connection.execute("SELECT blob FROM Packages")]
    connection.close()
    dump = written / "dump"
    dump.write_text(berkeley_dump(headers))
    run("db5.3_load", "-f", dump, written / "Packages")
    assert max(map(len, headers)) > 4096, "the value should go over several pages"
    assert told(written / "Packages") == _EXPECTED
