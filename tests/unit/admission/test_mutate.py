"""Pinning: a Pod's tags become digests; nothing else changes, and nothing is judged."""

from typing import Any

import pytest

from tests.factories.reviews import PINNED, Json, container, owner, pod, request, review
from tests.fakes.webhook import DIGEST, SILENT, Answered, Desk, applied, patch_of


async def mutate(desk: Desk, given: Json, **more: Any) -> Answered:
    return await desk.post(review(given), "/mutate", **more)


MIXED = pod(
    "a:1",
    PINNED,
    initContainers=[container("b", "i")],
    ephemeralContainers=[container("c:1", "d")],
    volumes=[{"name": "v", "emptyDir": {}}, {"name": "m", "image": {"reference": "a:1"}}],
)


async def test_tags_become_digests_and_all_else_stays(desk: Desk) -> None:
    operations = patch_of(await mutate(desk, request(MIXED)))
    assert [(one["path"], one["value"]) for one in operations] == [
        ("/spec/initContainers/0/image", f"b@{DIGEST}"),
        ("/spec/containers/0/image", f"a:1@{DIGEST}"),
        ("/spec/volumes/1/image/reference", f"a:1@{DIGEST}"),
    ]
    assert desk.verifier.resolved == [["a:1", "b"]]


async def test_pinning_again_changes_nothing(desk: Desk) -> None:
    once = applied(MIXED, patch_of(await mutate(desk, request(MIXED))))
    assert patch_of(await mutate(desk, request(once))) == []
    assert len(desk.verifier.resolved) == 1


async def test_what_cannot_be_resolved_stays(desk: Desk) -> None:
    desk.verifier.pinned = lambda image: None if image == "b" else f"{image}@{DIGEST}"
    operations = patch_of(await mutate(desk, request(MIXED)))
    assert "/spec/initContainers/0/image" not in {one["path"] for one in operations}
    assert len(operations) == 2


@pytest.mark.parametrize("more", [{}, {"query": "timeout=1ms"}])
async def test_a_silent_verifier_or_too_little_time_leaves_the_object_for_the_one_who_judges(
    desk: Desk, more: dict[str, str]
) -> None:
    desk.verifier.failure = SILENT
    assert patch_of(await mutate(desk, request(MIXED), **more)) == []


async def test_an_ephemeral_container_gets_no_patch(desk: Desk) -> None:
    now = pod("a:1", ephemeralContainers=[container("c:1", "d")])
    given = request(now, operation="UPDATE", old=pod("a:1"), subResource="ephemeralcontainers")
    assert patch_of(await mutate(desk, given)) == []
    assert desk.verifier.resolved == []


async def test_what_runs_already_is_not_restarted_by_another_digest(desk: Desk) -> None:
    now = pod("a:1", "b:2")
    now["metadata"]["finalizers"] = []
    operations = patch_of(await mutate(desk, request(now, operation="UPDATE", old=pod("a:1", "b:1"))))
    assert [one["path"] for one in operations] == ["/spec/containers/1/image"]


async def test_a_mirror_of_a_static_pod_stays(desk: Desk) -> None:
    mirror = pod("a:1", annotations={"kubernetes.io/config.mirror": "hash"})
    assert patch_of(await mutate(desk, request(mirror))) == []
    assert desk.verifier.resolved == []


@pytest.mark.parametrize(
    "given",
    [
        request(owner("Deployment", "a:1")),
        request({"kind": "Scale"}),
        request(None, operation="DELETE", kind="Pod", old=pod("a:1")),
        request(pod(PINNED)),
        request(pod("a@sha512:" + "0" * 128)),
        request(pod(*(f"image-{number}:1" for number in range(101)))),
    ],
    ids=["a template", "no Pods", "a deletion", "pinned", "another digest", "too many"],
)
async def test_there_is_nothing_to_pin_in(desk: Desk, given: Json) -> None:
    assert patch_of(await mutate(desk, given)) == []
    assert desk.verifier.resolved == []


@pytest.mark.parametrize("obj", [None, {}, {"spec": {"containers": 1}}])
async def test_a_pod_whose_images_cannot_be_read_is_kept_out(desk: Desk, obj: Json | None) -> None:
    answered = await mutate(desk, request(obj, kind="Pod"))
    assert not answered.allowed
    assert answered.message.startswith("hallmark: UNREADABLE: ")


async def test_pins_are_counted(desk: Desk) -> None:
    await mutate(desk, request(MIXED))
    labels = {"path": "/mutate", "kind": "Pod", "operation": "CREATE", "outcome": "pinned"}
    assert desk.counted("requests_total", **labels) == 1
