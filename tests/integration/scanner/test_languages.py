"""Packages of languages as their own tools write them."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from tests.factories.images import file
from tests.factories.inventories import inventory_of, names
from tests.factories.jars import properties
from tests.tools.debian import ToolMissing
from tests.tools.java import jar_of


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
            ("Maven", "app", "1.5"),
            ("Maven", "org.example:inner", "2.1"),
            ("Maven", "plain", "1.5"),
        ]
        assert found.unreadable == ()
