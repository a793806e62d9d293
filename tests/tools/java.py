"""The tools of a Java development kit, where the machine has one."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.tools.debian import ToolMissing

_SECONDS = 60
_SOURCE = "public class Main { public static void main(String[] words) {} }\n"


def jar_of(
    folder: Path, name: str, manifest: str, members: Mapping[str, bytes | str], *, stored: bool = False
) -> bytes:
    """What `jar` makes of a compiled class and these members. Raises ToolMissing."""
    content = folder / f"{name}-content"
    for path, body in {"Main.java": _SOURCE, **members}.items():
        place = content / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body.encode() if isinstance(body, str) else body)
    (folder / "manifest").write_text(manifest)
    _run("javac", "-d", content, content / "Main.java")
    (content / "Main.java").unlink()
    _run("jar", "-c", *(["-0"] if stored else []), "-m", folder / "manifest", "-f", folder / name, "-C", content, ".")
    return (folder / name).read_bytes()


def _run(program: str, *arguments: str | Path) -> None:
    path = shutil.which(program)
    if path is None:
        raise ToolMissing(f"{program} is not installed")
    subprocess.run([path, *arguments], check=True, capture_output=True, timeout=_SECONDS)
