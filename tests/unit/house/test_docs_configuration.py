"""docs/configuration.md names every key of every service, with its default."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import admission.config
import msgspec
import policy.config
import pytest
import scanner.config
import signer.config
import verifier.config

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
SERVICES = (admission.config, policy.config, scanner.config, signer.config, verifier.config)
BOUND = {"role", "name", "keys", "repositories", "clusters"}
"""The keys of a binding, which an example shows."""
ENTRIES = {"upstreams", "registries", "bindings"}
"""Tables whose keys stand on the page without the name of the table: there are several of them."""


def keys(settings: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Each key with its default as the page writes it; empty where the page says it in words."""
    for field in msgspec.structs.fields(settings):
        here = (*path, field.name)
        kinds = [kind for kind in (field.type, *get_args(field.type)) if isinstance(kind, type)]
        below = [kind for kind in kinds if issubclass(kind, msgspec.Struct)]
        if below:
            yield from keys(below[0], here)
        else:
            name = here[-1] if here[0] in ENTRIES else ".".join(here)
            yield name, "required" if field.required else written(field.default)


def written(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return f"{default:g}" if default < 1000 else str(int(default))
    return f"`{default}`" if isinstance(default, str) and default else ""


EVERY = sorted({pair for service in SERVICES for pair in keys(service.Settings)})


def rows(key: str) -> list[str]:
    """The default, wherever the first cell of a row names the key."""
    cells = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    return [cell[2].strip() for cell in cells if f"`{key}`" in cell[1]]


@pytest.mark.parametrize(("key", "default"), EVERY)
def test_every_key_stands_on_the_page_with_its_default(key: str, default: str) -> None:
    if key in BOUND:
        assert re.search(rf"^`?{key}|^ *{key} =|`{key}`", PAGE, re.MULTILINE)
    else:
        assert rows(key) != []
        assert default in {"", *rows(key)}


def test_no_key_stands_on_the_page_that_no_service_has() -> None:
    known = {key for key, _ in EVERY} | ENTRIES
    first = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for cell in first for name in re.findall(r"`([\w.]+)`", cell)} - known == set()
