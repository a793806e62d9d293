"""What is let in: objects whose every image may run, and those that bring none; nothing else."""

from typing import Any

import pytest
from admission.errors import NotJudged
from admission.verdicts import Effect
from admission.workloads import Form
from chassis.errors import Kind

from tests.factories.reviews import PINNED, UID, Json, container, owner, pod, request, review
from tests.fakes.webhook import SILENT, Desk

TEMPLATED = [
    "ReplicationController",
    "PodTemplate",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
]


def full(build: Any, *given: Any) -> Json:
    """An object with an image at every place where one may stand."""
    made: Json = build(
        *given,
        "main:1",
        initContainers=[container("init:1", "i"), {**container("side:1", "s"), "restartPolicy": "Always"}],
        ephemeralContainers=[container("debug:1", "d")],
        volumes=[
            {"name": "data", "emptyDir": {}},
            {"name": "model", "image": {"reference": "model:1", "pullPolicy": "Always"}},
        ],
    )
    return made


async def test_an_object_whose_images_may_run_is_let_in(desk: Desk) -> None:
    answered = await desk.post(review(request(pod())))
    assert answered.response == {"uid": UID, "allowed": True}
    assert answered.content_type == "application/json"


async def test_every_image_of_a_pod_is_asked_about_as_it_is_written(desk: Desk) -> None:
    await desk.post(review(request(full(pod))))
    (question,) = desk.verifier.questions
    assert [(one.path, one.image) for one in question.images] == [
        ("spec.initContainers[0].image", "init:1"),
        ("spec.initContainers[1].image", "side:1"),
        ("spec.containers[0].image", "main:1"),
        ("spec.ephemeralContainers[0].image", "debug:1"),
        ("spec.volumes[1].image.reference", "model:1"),
    ]
    assert question.form is Form.POD


@pytest.mark.parametrize("kind", TEMPLATED)
async def test_every_image_of_a_template_is_asked_about(desk: Desk, kind: str) -> None:
    await desk.post(review(request(full(owner, kind))))
    assert desk.verifier.asked == ["init:1", "side:1", "main:1", "debug:1", "model:1"]
    (question,) = desk.verifier.questions
    assert (question.form, question.object_kind) == (Form.TEMPLATE, kind)
    spec = {"PodTemplate": "template.spec", "CronJob": "spec.jobTemplate.spec.template.spec"}
    assert question.images[2].path == f"{spec.get(kind, 'spec.template.spec')}.containers[0].image"


async def test_containers_added_to_a_running_pod_the_old_way_are_asked_about(desk: Desk) -> None:
    added = {"kind": "EphemeralContainers", "ephemeralContainers": [container("debug:1", "d")]}
    before = {"kind": "EphemeralContainers", "ephemeralContainers": []}
    given = request(added, operation="UPDATE", old=before, subResource="ephemeralcontainers")
    desk.verifier.effect = lambda _: Effect.REJECT
    assert not (await desk.post(review(given))).allowed
    (question,) = desk.verifier.questions
    assert [(one.path, one.image) for one in question.images] == [("ephemeralContainers[0].image", "debug:1")]
    assert (question.form, question.object_kind) == (Form.POD, "EphemeralContainers")
    assert (await desk.post(review({**given, "oldObject": added}))).allowed, "nothing was added"


@pytest.mark.parametrize("added", [{}, {"ephemeralContainers": [{"image": 1}]}, {"ephemeralContainers": "debug:1"}])
async def test_containers_added_the_old_way_that_cannot_be_read_are_kept_out(desk: Desk, added: Json) -> None:
    given = request({"kind": "EphemeralContainers", **added}, operation="UPDATE", subResource="ephemeralcontainers")
    assert not (await desk.post(review(given))).allowed


async def test_the_question_says_where_who_and_whether_it_is_a_dry_run(desk: Desk) -> None:
    await desk.post(review(request(pod(), dryRun=True)))
    (question,) = desk.verifier.questions
    assert (question.namespace, question.requester, question.dry_run) == ("pay-eu", "jane", True)


async def test_one_rejected_image_keeps_the_object_out_and_is_named(desk: Desk) -> None:
    desk.verifier.effect = lambda image: Effect.REJECT if image == "bad:1" else Effect.ADMIT
    answered = await desk.post(review(request(pod("good:1", "bad:1"))))
    assert not answered.allowed
    assert answered.response["uid"] == UID
    assert answered.response["status"] == {
        "code": 403,
        "reason": "Forbidden",
        "message": "hallmark: spec.containers[1].image: Image 'bad:1' is judged by rule 'payments'.",
    }


async def test_a_warning_lets_in_and_is_shown(desk: Desk) -> None:
    desk.verifier.effect = lambda _: Effect.ADMIT_WITH_WARNING
    answered = await desk.post(review(request(pod())))
    assert answered.allowed
    (warning,) = answered.response["warnings"]
    assert warning == f"hallmark: spec.containers[0].image: Image '{PINNED}' is judged by rule 'payments'."[:256]


@pytest.mark.parametrize("kind", ["Scale", "Service", "PodExecOptions", "Eviction", "pod"])
async def test_kinds_without_pods_are_let_in_unasked(desk: Desk, kind: str) -> None:
    answered = await desk.post(review(request({"kind": kind, "spec": {"replicas": 3}}, kind=kind)))
    assert answered.allowed
    assert desk.verifier.questions == []


async def test_a_kind_of_the_same_name_in_a_group_of_somebody_else_is_no_workload(desk: Desk) -> None:
    given = request({"kind": "Job", "spec": {"tasks": []}})
    given["kind"]["group"] = "batch.example.com"
    assert (await desk.post(review(given))).allowed


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
async def test_operations_that_store_nothing_are_let_in_unasked(desk: Desk, operation: str) -> None:
    answered = await desk.post(review(request(None, operation=operation, kind="Pod", old=pod())))
    assert answered.allowed
    assert desk.verifier.questions == []


@pytest.mark.parametrize(
    "obj",
    [
        None,
        {},
        {"spec": None},
        {"spec": []},
        {"spec": {}},
        {"spec": {"containers": []}},
        {"spec": {"containers": None}},
        {"spec": {"containers": {"image": PINNED}}},
        {"spec": {"containers": [{"name": "a", "image": 1}]}},
        {"spec": {"containers": [{"name": "a", "image": None}]}},
        {"spec": {"containers": [None]}},
        {"spec": {"containers": [container()], "volumes": [{"image": "a"}]}},
    ],
)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "PATCH", ""])
async def test_a_workload_whose_images_cannot_be_read_is_kept_out(desk: Desk, obj: Json | None, operation: str) -> None:
    answered = await desk.post(review(request(obj, kind="Pod", operation=operation, old=pod())))
    assert not answered.allowed
    assert answered.message.startswith("hallmark: UNREADABLE: ")
    assert desk.verifier.questions == []


@pytest.mark.parametrize("kind", TEMPLATED)
async def test_a_template_that_is_missing_is_kept_out(desk: Desk, kind: str) -> None:
    assert not (await desk.post(review(request({"kind": kind, "spec": {}})))).allowed


async def test_a_volume_without_a_reference_is_judged_like_any_other(desk: Desk) -> None:
    volumes = [{"name": "a", "image": {}}, {"name": "b", "image": {"reference": ""}}, {"name": "c", "image": None}]
    await desk.post(review(request(owner("Deployment", volumes=volumes))))
    assert desk.verifier.asked == [PINNED, "", ""]


async def test_an_update_that_leaves_every_image_is_let_in_unasked(desk: Desk) -> None:
    before, now = full(owner, "Deployment"), full(owner, "Deployment")
    now["metadata"] = {"annotations": {"a": "b"}}
    now["spec"]["replicas"] = 0
    now["spec"]["template"]["spec"]["initContainers"].reverse()
    assert (await desk.post(review(request(now, operation="UPDATE", old=before)))).allowed
    assert desk.verifier.questions == []


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (pod("a:1"), pod("a:2")),
        (pod("a:1"), pod("a:1", "a:1")),
        (pod("a:1", "b:1"), pod("a:1")),
        (pod("a:1", "b:1"), pod("b:1", "a:1")),
        (pod("a:1"), pod("a:1", initContainers=[container("a:1", "c0")])),
        (pod("a:1"), pod("a:1", ephemeralContainers=[container("a:1", "c0")])),
        (pod("a:1"), pod("a:1", volumes=[{"name": "c0", "image": {"reference": "a:1"}}])),
        (None, pod("a:1")),
        ({"spec": 1}, pod("a:1")),
    ],
    ids=["another tag", "one more", "one less", "swapped", "as init", "as ephemeral", "as volume", "unknown", "broken"],
)
async def test_an_update_that_changes_any_image_is_judged_whole(desk: Desk, before: Json | None, now: Json) -> None:
    await desk.post(review(request(now, operation="UPDATE", old=before)))
    assert desk.verifier.asked[0] == now["spec"].get("initContainers", now["spec"]["containers"])[0]["image"]


async def test_an_object_that_is_being_deleted_is_judged_like_any_other(desk: Desk) -> None:
    now = pod("a:2")
    now["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    await desk.post(review(request(now, operation="UPDATE", old=pod("a:1"))))
    assert desk.verifier.asked == ["a:2"]


async def test_an_ephemeral_container_is_judged(desk: Desk) -> None:
    desk.verifier.effect = lambda image: Effect.REJECT if image == "debug:1" else Effect.ADMIT
    now = pod("a:1", ephemeralContainers=[container("debug:1", "dbg")])
    given = request(now, operation="UPDATE", old=pod("a:1"), subResource="ephemeralcontainers")
    assert not (await desk.post(review(given))).allowed


@pytest.mark.parametrize(
    "annotations",
    [
        {"kubernetes.io/config.mirror": "abc"},
        {"hallmark.example.com/verified": "true"},
        {"alpha.image-policy.k8s.io/break-glass": "true"},
    ],
)
async def test_no_annotation_opens_anything(desk: Desk, annotations: dict[str, str]) -> None:
    desk.verifier.effect = lambda _: Effect.REJECT
    owned = pod(annotations=annotations)
    owned["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "trusted", "uid": "x", "controller": True}]
    assert not (await desk.post(review(request(owned)))).allowed


async def test_a_silent_verifier_keeps_the_object_out(desk: Desk) -> None:
    desk.verifier.failure = NotJudged("UNAVAILABLE", "It cannot be reached.", Kind.UNAVAILABLE)
    answered = await desk.post(review(request(pod())))
    assert not answered.allowed
    assert answered.message == "hallmark: UNAVAILABLE: It cannot be reached."
    assert desk.counted("verifier_errors_total", kind="UNAVAILABLE") == 1


async def test_a_defect_keeps_the_object_out_and_tells_nothing(desk: Desk) -> None:
    desk.verifier.failure = ZeroDivisionError("secret inner detail")
    answered = await desk.post(review(request(pod())))
    assert not answered.allowed
    assert "secret" not in answered.body.decode()


async def test_five_hundred_images_are_kept_out_in_a_sentence(desk: Desk) -> None:
    answered = await desk.post(review(request(pod(*(f"image-{number}:1" for number in range(500))))))
    assert not answered.allowed
    assert answered.message == (
        "hallmark: LIMIT_EXCEEDED: This Pod names 500 images; at most 100 are judged at once. Split it up."
    )
    assert desk.verifier.questions == []


async def test_a_hundred_images_are_judged(desk: Desk) -> None:
    assert (await desk.post(review(request(pod(*(f"image-{number}:1" for number in range(100))))))).allowed


async def test_a_denial_is_bounded(desk: Desk) -> None:
    desk.verifier.effect = lambda _: Effect.REJECT
    answered = await desk.post(review(request(pod(*(f"{'x' * 3000}:{number}" for number in range(50))))))
    assert len(answered.message) <= 8192
    few = await desk.post(review(request(pod(*(f"image-{number}:1" for number in range(15))))))
    assert few.message.count("\n") == 10
    assert few.message.endswith("And 5 more images.")


async def test_warnings_are_few_short_and_plain(desk: Desk) -> None:
    desk.verifier.effect = lambda _: Effect.ADMIT_WITH_WARNING
    answered = await desk.post(review(request(pod(*("ä\n" + "x" * 300 for _ in range(30))))))
    warnings = answered.response["warnings"]
    assert len(warnings) == 20
    assert {len(warning) for warning in warnings} == {256}
    assert all(warning.isascii() and warning.isprintable() for warning in warnings)


async def test_what_becomes_of_reviews_is_counted(desk: Desk) -> None:
    await desk.post(review(request(pod())))
    desk.verifier.effect = lambda _: Effect.REJECT
    await desk.post(review(request(owner("CronJob"))))
    await desk.post(review(request({"kind": "Evil"}, operation="PATCH", kind="Evil")))
    desk.verifier.failure = SILENT
    await desk.post(review(request(pod())))
    for kind, operation, outcome in (
        ("Pod", "CREATE", "allowed"),
        ("CronJob", "CREATE", "denied"),
        ("other", "other", "allowed"),
        ("Pod", "CREATE", "unanswered"),
    ):
        labels = {"path": "/validate", "kind": kind, "operation": operation, "outcome": outcome}
        assert desk.counted("requests_total", **labels) == 1
    assert desk.counted("request_seconds_count", path="/validate") == 4
