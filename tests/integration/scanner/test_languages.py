"""Packages of languages as their own tools write them."""

import importlib.metadata
import io
import json
import os
import tarfile
from pathlib import Path
from typing import NoReturn

import pytest

from tests.factories.images import file, layer_of
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.jars import properties
from tests.tools.debian import TOOLS, ToolMissing
from tests.tools.java import jar_of
from tests.tools.npm import bundle_verifier


def skip(missing: ToolMissing) -> NoReturn:
    """Skip what needs a tool that is not there; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(str(missing))
    pytest.skip(str(missing))


def test_archives_that_jar_wrote(tmp_path: Path) -> None:
    said = "Implementation-Title: An App\nImplementation-Version: 1.5\n"
    try:
        inner = jar_of(tmp_path, "inner-2.1.jar", said, properties("org.example", "inner", "2.1"))
        plain = jar_of(tmp_path, "plain.jar", said, {})
        held = {"BOOT-INF/lib/inner-2.1.jar": inner, "BOOT-INF/lib/plain.jar": plain}
        outer = [jar_of(tmp_path, "app.jar", said, held, stored=stored) for stored in (False, True)]
    except ToolMissing as missing:
        skip(missing)
    for body in outer:
        found = inventory_of(file("app.jar", body))
        assert names(found) == [
            ("Maven", "org.example:inner", "2.1"),
            ("generic", "app", "1.5"),
            ("generic", "plain", "1.5"),
        ]
        assert found.unreadable == ()


def test_packages_that_npm_installed() -> None:
    try:
        bundle_verifier()
    except ToolMissing as missing:
        skip(missing)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        writer.add(TOOLS / "npm", "app", filter=lambda member: None if Path(member.name).name == "lock" else member)
    found = inventory(layer_of(archive.getvalue()))
    said = json.loads((TOOLS / "npm" / "node_modules" / ".package-lock.json").read_text())["packages"]
    expected = {(f"app/{path}/package.json", entry["version"]) for path, entry in said.items()}
    assert {(one.path, one.version) for one in found.packages} == expected
    assert found.unreadable == ()


def test_packages_that_pip_installed() -> None:
    installed = list(importlib.metadata.distributions())
    texts = {f"site-packages/{one.name}.dist-info/METADATA": one.read_text("METADATA") for one in installed}
    found = inventory_of(*(file(path, text) for path, text in texts.items() if text is not None))
    expected = {(one.name, one.version) for one in installed if one.read_text("METADATA") is not None}
    assert {(one.name, one.version) for one in found.packages} == expected
    assert found.unreadable == ()
