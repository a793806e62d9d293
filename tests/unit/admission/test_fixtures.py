"""Reviews as an API server sends them, all fields filled in: what is asked about, judged and pinned."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from admission.verdicts import Effect
from admission.workloads import Form

from tests.fakes.webhook import DIGEST, Desk, applied, patch_of

FOLDER = Path(__file__).parents[2] / "data" / "admission"
HOST = "reg.example.com/pay/"
A, B = "@sha256:" + "a" * 64, "@sha256:" + "b" * 64
TEMPLATE = "spec.template.spec."


@dataclass(frozen=True)
class Expected:
    """The images that the verifier is asked about, by path; which of them are pinned; and what asks."""

    asked: dict[str, str]
    pinned: tuple[str, ...] = ()
    form: Form = Form.POD
    requester: str = "jane@example.com"
    dry_run: bool = False


def deployed(web: str) -> Expected:
    return Expected(
        {
            TEMPLATE + "initContainers[0].image": HOST + "migrate:7",
            TEMPLATE + "containers[0].image": web,
            TEMPLATE + "containers[1].image": HOST + "proxy" + B,
            TEMPLATE + "volumes[0].image.reference": "",
        },
        form=Form.TEMPLATE,
    )


RUNNING = {"spec.containers[0].image": HOST + "web:1.2", "spec.containers[1].image": HOST + "proxy" + B}
EXPECTED = {
    "pod-create": Expected(
        {
            "spec.initContainers[0].image": HOST + "migrate:7",
            "spec.initContainers[1].image": "fluent/fluent-bit:3.1",
            "spec.containers[0].image": HOST + "web:1.2" + A,
            "spec.containers[1].image": HOST + "proxy" + B,
        },
        pinned=("spec.initContainers[0].image", "spec.initContainers[1].image"),
        requester="system:serviceaccount:kube-system:replicaset-controller",
    ),
    "pod-update-of-an-image": Expected(
        RUNNING | {"spec.containers[0].image": HOST + "web:1.3"}, pinned=("spec.containers[0].image",)
    ),
    "pod-update-of-a-label": Expected({}),
    "pod-ephemeral-container": Expected(RUNNING | {"spec.ephemeralContainers[0].image": "busybox:1.36"}),
    "pod-image-volume": Expected(
        {"spec.containers[0].image": HOST + "web" + A, "spec.volumes[1].image.reference": HOST + "weights:3"},
        pinned=("spec.volumes[1].image.reference",),
        dry_run=True,
    ),
    "pod-mirror": Expected(
        {"spec.containers[0].image": "registry.k8s.io/kube-apiserver:v1.36.2"}, requester="system:node:node1"
    ),
    "pod-delete": Expected({}),
    "pod-exec": Expected({}),
    "deployment-create": deployed(HOST + "web:1.2"),
    "deployment-update-to-no-replicas-and-another-image": deployed("reg.example.com/other/web:9"),
    "deployment-scale": Expected({}),
    "cronjob-create": Expected(
        {"spec.jobTemplate.spec.template.spec.containers[0].image": HOST + "report:2"}, form=Form.TEMPLATE
    ),
}


def body_of(name: str) -> bytes:
    """The review, compact as the API server writes it."""
    return json.dumps(json.loads((FOLDER / f"{name}.json").read_text()), separators=(",", ":")).encode()


def test_every_review_is_played() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
async def test_each_image_is_asked_about_where_it_stands(desk: Desk, name: str) -> None:
    expected = EXPECTED[name]
    answered = await desk.post(body_of(name))
    assert answered.allowed
    assert answered.response["uid"] == json.loads(body_of(name))["request"]["uid"]
    if not expected.asked:
        assert desk.verifier.questions == []
        return
    (question,) = desk.verifier.questions
    assert {one.path: one.image for one in question.images} == expected.asked
    assert (question.namespace, question.form) == ("pay-eu", expected.form)
    assert (question.requester, question.dry_run) == (expected.requester, expected.dry_run)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected.asked])
async def test_each_image_alone_keeps_the_object_out(name: str) -> None:
    for image in EXPECTED[name].asked.values():
        desk = Desk()
        desk.verifier.effect = lambda asked, bad=image: Effect.REJECT if asked == bad else Effect.ADMIT  # type: ignore[misc]
        assert not (await desk.post(body_of(name))).allowed


@pytest.mark.parametrize("name", EXPECTED)
async def test_the_tags_of_what_is_to_run_are_pinned_where_they_stand(desk: Desk, name: str) -> None:
    expected, body = EXPECTED[name], body_of(name)
    operations = patch_of(await desk.post(body, "/mutate"))
    assert {operation["path"] for operation in operations} == {pointer(path) for path in expected.pinned}
    if operations:
        review = json.loads(body)
        review["request"]["object"] = applied(review["request"]["object"], operations)
        judge = Desk()
        await judge.post(json.dumps(review, separators=(",", ":")).encode())
        (question,) = judge.verifier.questions
        pinned = {path: f"{expected.asked[path]}@{DIGEST}" for path in expected.pinned}
        assert {one.path: one.image for one in question.images} == expected.asked | pinned


def pointer(path: str) -> str:
    return "/" + path.replace("[", "/").replace("]", "").replace(".", "/")
