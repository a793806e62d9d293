"""Advisories on disk as a zip."""

import io
import zipfile
from pathlib import Path

import pytest
from hallmark_cli import archives
from hallmark_cli.failures import Misused


def test_a_directory_becomes_the_same_zip_each_time(tmp_path: Path) -> None:
    (tmp_path / "Debian").mkdir()
    (tmp_path / "Debian" / "b.json").write_text("{}")
    (tmp_path / "a.json").write_text('{"id": 1}')
    (tmp_path / "README.md").write_text("no advisory")
    with archives.opened(tmp_path) as made:
        first = made.read()
    (tmp_path / "a.json").touch()
    with archives.opened(tmp_path) as made:
        assert made.read() == first
    packed = zipfile.ZipFile(io.BytesIO(first))
    assert packed.namelist() == ["Debian/b.json", "a.json"]
    assert packed.read("a.json") == b'{"id": 1}'


def test_a_zip_is_sent_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "all.zip"
    content = b"x" * (archives.CHUNK + 1)
    file.write_bytes(content)
    with archives.opened(file) as archive:
        assert archives.size(archive) == len(content)
        pieces = list(archives.chunks(archive))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == archives.CHUNK


def test_a_directory_without_advisories_is_no_import(tmp_path: Path) -> None:
    with pytest.raises(Misused, match=r"no \.json file"), archives.opened(tmp_path):
        pass


def test_too_large_an_archive_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "huge.zip"
    with file.open("wb") as sparse:
        sparse.truncate(archives.LARGEST_ZIP + 1)
    with archives.opened(file) as archive, pytest.raises(Misused, match="at most"):
        archives.size(archive)
