"""What the tree may not hold: package registries' hosts, and files or functions that have grown too long."""

import ast
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[3]
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def tracked(pattern: str = "*") -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=TOP, capture_output=True, text=True, check=True
    )
    return [TOP / name for name in listed.stdout.splitlines() if (TOP / name).is_file()]


def own_code() -> list[Path]:
    return [file for file in tracked("*.py") if "libs/wire/src" not in file.as_posix()]


def test_no_package_registry_is_named() -> None:
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "registry.npm" + "js",
        "deb.deb" + "ian.org",
        "proxy.go" + "lang.org",
    ]
    found = {
        (file.relative_to(TOP).as_posix(), host)
        for file in tracked()
        for host in hosts
        if host.encode() in file.read_bytes()
    }
    assert found == set()


def test_files_stay_short() -> None:
    lengths = {file.relative_to(TOP).as_posix(): file.read_text().count("\n") for file in own_code()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_stay_short() -> None:
    long = {
        f"{file.relative_to(TOP)}:{node.lineno} {node.name}"
        for file in own_code()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert long == set()
