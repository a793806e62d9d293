"""Where layers come from: the commands that made them, and the base image that lies beneath."""

from collections.abc import Sequence
from typing import Any

import pytest
from scanner.catalogue import PlatformDetails
from scanner.inventory.bases import BaseImage
from scanner.inventory.model import BaseClaim, LayerOrigin
from scanner.scan_records import ScanState

from tests.factories.images import Image, Layer, image, index, layer, wheel
from tests.factories.scanning import DEVELOPER, Scanning

LOW, MIDDLE, TOP = (layer(wheel(name, "1")) for name in ("low", "middle", "top"))
NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


def claiming(base: str, *layers: Layer, name: str = "reg.example/base:1") -> Image:
    return image(*layers, manifest={"annotations": {NAME: name, DIGEST: base}})


def recorded(*commands: str | None) -> Image:
    steps: list[dict[str, Any]] = [{"created_by": command} for command in commands]
    steps.insert(1, {"created_by": "ENV A=b", "empty_layer": True})
    return image(LOW, MIDDLE, config={"history": steps})


async def origins(bench: Scanning, made: Image) -> Sequence[LayerOrigin]:
    assert (await bench.scan(made)).state is ScanState.SUCCEEDED
    return (await details(bench, made)).origins


async def details(bench: Scanning, made: Image) -> PlatformDetails:
    [platform] = (await bench.viewer.image(DEVELOPER, bench.repository(), made.digest)).platforms
    return platform.details


async def test_the_command_that_made_each_layer(bench: Scanning) -> None:
    made = recorded("COPY a /", "RUN  x\n\x1b[31m && y")
    assert [one.created_by for one in await origins(bench, made)] == ["COPY a /", "RUN  x  [31m && y"]


async def test_a_command_is_cut_off(bench: Scanning) -> None:
    assert [len(one.created_by) for one in await origins(bench, recorded("x" * 501, None))] == [500, 0]
    many = image(*[LOW] * 200, config={"history": [{"created_by": "y" * 501}] * 200})
    assert {len(one.created_by) for one in await origins(bench, many)} == {250}


@pytest.mark.parametrize(
    "history", [None, [], "text", [1, 2], [{"created_by": 1}] * 2, [{"created_by": "a"}], [{"created_by": "a"}] * 3]
)
async def test_a_history_that_does_not_fit_says_nothing(bench: Scanning, history: object) -> None:
    made = image(LOW, MIDDLE, config={"history": history})
    assert await origins(bench, made) == (LayerOrigin(), LayerOrigin())


async def test_layers_of_a_base_image_that_the_operator_names(bench: Scanning) -> None:
    bench.know_bases(
        BaseImage(name="small", layers=(LOW.digest,)),
        BaseImage(name="larger", layers=(LOW.diff_id, MIDDLE.digest)),
        BaseImage(name="other", layers=(MIDDLE.digest,)),
        BaseImage(name="longest", layers=(LOW.digest, MIDDLE.digest, TOP.digest, TOP.digest)),
    )
    found = await origins(bench, claiming("sha256:" + "0" * 64, LOW, MIDDLE, TOP))
    assert [(one.base_image, one.base_claimed) for one in found] == [("larger", False), ("larger", False), ("", False)]
    assert [one.base_image for one in await origins(bench, image(TOP, LOW))] == ["", ""]


async def test_a_claimed_base_counts_as_far_as_its_layers_are_known(bench: Scanning) -> None:
    base, other = image(LOW, MIDDLE), image(LOW, platform="linux/arm64")
    whole = index(base, other)
    made = claiming(whole.digest, LOW, MIDDLE, TOP)
    assert {one.base_image for one in await origins(bench, made)} == {""}
    assert (await details(bench, made)).base == BaseClaim("reg.example/base:1", whole.digest)
    await bench.scan(whole)
    await bench.scan(made, force=True)
    found = (await details(bench, made)).origins
    assert [(one.base_image, one.base_claimed) for one in found] == [
        ("reg.example/base:1", True),
        ("reg.example/base:1", True),
        ("", False),
    ]


async def test_a_claimed_base_that_does_not_lie_beneath_tells_of_no_layer(bench: Scanning) -> None:
    base = image(MIDDLE)
    await bench.scan(base)
    assert {one.base_image for one in await origins(bench, claiming(base.digest, LOW, MIDDLE))} == {""}


@pytest.mark.parametrize(("name", "digest"), [("a\nb", "sha256:x"), ("n" * 501, "")])
async def test_nonsense_is_no_claim(bench: Scanning, name: str, digest: str) -> None:
    made = claiming(digest, LOW, name=name)
    await bench.scan(made)
    assert (await details(bench, made)).base == BaseClaim()
