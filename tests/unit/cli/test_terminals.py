"""What the command does where it is run: on terminals of any width, in pipes, on a full disk, and interrupted."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hallmark.scanner.v1 import image_pb2, image_service_pb2, risk_pb2, scan_pb2, scan_service_pb2

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

# A shell starts what it runs in the background deaf to interrupts.
LISTENING = """
import signal
from hallmark_cli.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
STYLE = re.compile(r"\x1b\[[0-9;]*m")
DIGEST = "sha256:" + "ab" * 32
IMAGES = image_service_pb2.DESCRIPTOR.services_by_name["ImageService"]
SCANS = scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"]
Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(hallmark: Hallmark, tmp_path: Path) -> Run:
    """Starts the command with streams of the test's own, against the services of a profile made before."""

    def run(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        profile = str(tmp_path / "hallmark.toml")
        command = [sys.executable, "-c", LISTENING, "--profile", profile, *arguments]
        return subprocess.Popen(command, **streams)

    return run


@pytest.fixture
def images(serve: Serve, hallmark: Hallmark) -> None:
    """A profile of a scanner that knows one image."""
    risk = risk_pb2.ImageRisk(repository="reg.example.com/shop", digest=DIGEST)
    listed = image_service_pb2.ListImagesResponse(
        images=[image_pb2.Image(repository="reg.example.com/shop", digest=DIGEST, tags=["1.0"], risk=risk)]
    )
    address = serve(offering(IMAGES, ListImages=lambda request, context: listed))
    assert hallmark("images", "list", scanner=address).returncode == 0


def on_terminal(start: Run, columns: int, *arguments: str, **variables: str) -> str:
    """What the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    process = start(*arguments, stdout=theirs, stderr=theirs, env=environ | {"TERM": "xterm"} | variables)
    os.close(theirs)
    written = b""
    try:
        while read := os.read(ours, 65536):
            written += read
    except OSError:
        pass  # Linux tells the end of a terminal so.
    os.close(ours)
    assert process.wait(30) == 0
    return STYLE.sub("", written.decode())


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("columns", [20, 40, 80, 120, 200])
def test_a_digest_is_whole_at_any_width(columns: int, start: Run) -> None:
    shown = on_terminal(start, columns, "images", "list")
    assert DIGEST in shown.replace("\r\n", "\n")
    assert "…" not in shown
    assert "1.0" in shown


@pytest.mark.usefixtures("images")
def test_a_narrow_terminal_gets_a_block_for_each_row_and_a_wide_one_a_table(start: Run) -> None:
    narrow = on_terminal(start, 80, "images", "list").splitlines()
    assert narrow[0].split() == ["REPOSITORY", "reg.example.com/shop"]
    wide = on_terminal(start, 200, "images", "list").splitlines()
    assert wide[0].split()[:3] == ["REPOSITORY", "TAGS", "DIGEST"]
    assert len(wide) == 2


@pytest.mark.usefixtures("images")
def test_a_locale_without_unicode(start: Run) -> None:
    shown = on_terminal(start, 200, "images", "list", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert DIGEST in shown


@pytest.mark.usefixtures("images")
def test_a_reader_that_went_away_gets_no_complaint(start: Run) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("images", "list", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == 3


@pytest.mark.usefixtures("images")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_no_yes(start: Run) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("images", "list", "-o", "json", stdout=full, stderr=subprocess.PIPE)
        said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 3
    assert said == "hallmark: What was to be written could not be: No space left on device. [STORAGE_FULL]\n"


@pytest.mark.usefixtures("images")
def test_a_closed_output_is_no_defect(tmp_path: Path) -> None:
    profile = tmp_path / "hallmark.toml"
    command = f"exec {sys.executable} -m hallmark_cli --profile {profile} images list >&- 2>{tmp_path}/said"
    done = subprocess.run(["/bin/sh", "-c", command], check=False, timeout=60)
    assert (done.returncode, (tmp_path / "said").read_text()) == (0, "")


def test_an_interrupt_is_neither_yes_nor_no(serve: Serve, hallmark: Hallmark, start: Run) -> None:
    asked, over = threading.Event(), threading.Event()

    def get_scan(request: Any, context: Any) -> scan_service_pb2.GetScanResponse:
        asked.set()
        over.wait(30)
        return scan_service_pb2.GetScanResponse(scan=scan_pb2.Scan())

    address = serve(offering(SCANS, GetScan=get_scan))
    over.set()
    hallmark("scans", "show", "x", scanner=address)
    asked.clear()
    over.clear()
    process = start("scans", "show", "x", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1].decode()
    over.set()
    assert process.returncode == 3
    assert said.lstrip() == "hallmark: Interrupted before there was an answer. [INTERRUPTED]\n"
