"""Requests that a real API server sent: which images the verifier is asked about, and that each is answered."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from admission.verdicts import Effect

from tests.factories.reviews import review
from tests.fakes.webhook import Desk

CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "admission" / "admissionreview-captures.jsonl.gz"
"""Captured requests, kept beside the repository; they are no part of it."""

MIRROR = 13
"""The line of a Pod with the annotation of a mirror Pod."""
POD = "spec.containers[0].image"
TEMPLATE = ("spec.template.spec.initContainers[0].image", "spec.template.spec.containers[0].image")
ASKED: dict[int, list[tuple[str, str]]] = {
    1: [(POD, "nginx:1")],
    2: [(POD, "nginx:1"), ("spec.ephemeralContainers[0].image", "registry.example.com/library/evil:1")],
    3: [(POD, "evil:1")],
    4: [(POD, "NGINX")],
    5: [(POD, "nginx@sha256:zz")],
    6: [(POD, "nginx:1@sha256:" + "a" * 64)],
    7: [(POD, "registry.example.com:443/x:1")],
    8: [(POD, "xn--e1awd7f.example/x")],
    9: [(POD, "a" * 300)],
    10: [(POD, "nginx\u200b")],
    11: [(POD, "a" * 64)],
    12: [(POD, "nginx:1"), ("spec.volumes[0].image.reference", "evil/vol:1")],
    **{line: [(POD, "nginx:1")] for line in (13, 14, 15, 16, 17, 18, 24)},
    19: [],
    20: [],
    **{
        line: [
            (TEMPLATE[0], "busybox:1"),
            (TEMPLATE[1], "nginx:1"),
            ("spec.template.spec.volumes[0].image.reference", ""),
        ]
        for line in (21, 22)
    },
    23: [
        ("spec.jobTemplate.spec.template.spec.initContainers[0].image", "busybox:1"),
        ("spec.jobTemplate.spec.template.spec.containers[0].image", "nginx:1"),
        ("spec.jobTemplate.spec.template.spec.volumes[0].image.reference", ""),
    ],
    25: [(POD, "evil:9")],
    26: [(POD, "evil:9")],
}


def captured(line: int) -> tuple[str, dict[str, Any]]:
    """The query and the request of a line, from 1."""
    if not CAPTURES.exists():
        pytest.skip(f"the captured requests are not at {CAPTURES}")
    with gzip.open(CAPTURES, "rt") as lines:
        found = json.loads(lines.read().splitlines()[line - 1])
    return found["path"].partition("?")[2], found["req"]


@pytest.mark.parametrize("line", ASKED)
async def test_a_captured_request_asks_about_its_images(desk: Desk, line: int) -> None:
    query, request = captured(line)
    answered = await desk.post(review(request), query=query)
    assert answered.allowed
    assert answered.response["uid"] == request["uid"]
    asked = [(one.path, one.image) for question in desk.verifier.questions for one in question.images]
    assert asked == ASKED[line]


@pytest.mark.parametrize("line", [line for line, asked in ASKED.items() if asked])
async def test_a_captured_request_with_a_rejected_image_is_kept_out(desk: Desk, line: int) -> None:
    query, request = captured(line)
    desk.verifier.effect = lambda _: Effect.REJECT
    assert not (await desk.post(review(request), query=query)).allowed


@pytest.mark.parametrize("line", ASKED)
async def test_only_the_tags_of_a_captured_pod_are_pinned(desk: Desk, line: int) -> None:
    query, request = captured(line)
    answered = await desk.post(review(request), "/mutate", query=query)
    assert answered.allowed
    pinnable = request["kind"]["kind"] == "Pod" and request["operation"] == "CREATE" and line != MIRROR
    wanted = sorted({image for _, image in ASKED[line] if "@" not in image}) if pinnable else []
    assert desk.verifier.resolved == ([wanted] if wanted else [])


async def test_a_dry_run_is_passed_on(desk: Desk) -> None:
    query, request = captured(16)
    await desk.post(review(request), query=query)
    assert [question.dry_run for question in desk.verifier.questions] == [True]
