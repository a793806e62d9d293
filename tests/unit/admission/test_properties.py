"""Whatever is sent: never a yes that the verifier did not give, never an answer that says that we broke."""

import asyncio
import json
from typing import Any

from admission.verdicts import Effect
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.reviews import pod, request, review
from tests.fakes.webhook import Answered, Desk, applied, patch_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
IMAGES = st.text(max_size=30)
CONTAINERS = st.lists(
    st.fixed_dictionaries({}, optional={"name": st.text(max_size=5), "image": IMAGES}) | JSON, max_size=3
)
VOLUMES = st.lists(
    st.fixed_dictionaries(
        {}, optional={"name": st.text(max_size=5), "image": st.fixed_dictionaries({"reference": IMAGES}) | JSON}
    ),
    max_size=3,
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS | JSON,
        "initContainers": CONTAINERS,
        "ephemeralContainers": CONTAINERS,
        "volumes": VOLUMES | JSON,
    },
)
WORKLOADS = [
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ReplicationController"),
    ("apps", "Deployment"),
    ("batch", "Job"),
    ("batch", "CronJob"),
]


def placed(kind: str, spec: Any) -> Any:
    """The Pod spec where an object of this kind has it."""
    template = {"template": {"spec": spec}}
    owners = {"Pod": {"spec": spec}, "PodTemplate": template, "CronJob": {"spec": {"jobTemplate": {"spec": template}}}}
    return owners.get(kind, {"spec": template})


def rejected(body: bytes, path: str) -> tuple[Answered, Desk]:
    """The answer where the verifier rejects every image."""
    desk = Desk()
    desk.verifier.effect = lambda _: Effect.REJECT
    return asyncio.run(desk.post(body, path)), desk


def check_no_yes(answered: Answered) -> None:
    assert answered.status == 400 or (answered.status == 200 and answered.response["allowed"] is False)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_no_review(body: bytes) -> None:
    for path in ("/validate", "/mutate"):
        assert rejected(body, path)[0].status == 400


@given(st.data())
def test_a_review_with_anything_in_any_place_gets_no_yes_while_the_verifier_says_no(data: st.DataObject) -> None:
    spoiled = json.loads(review(request(pod())))
    place: Any = spoiled
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        below = place[key]
        if not isinstance(below, dict | list) or not below or data.draw(st.booleans()):
            break
        place = below
    before = json.dumps(place[key])
    place[key] = data.draw(JSON)
    answered, desk = rejected(json.dumps(spoiled).encode(), "/validate")
    if answered.allowed:
        asked = json.loads(json.dumps(spoiled))["request"]
        known = (asked["kind"].get("group", ""), asked["kind"].get("kind", "")) in WORKLOADS
        assert not known or asked["operation"] in ("DELETE", "CONNECT"), before
        assert desk.verifier.questions == []
    else:
        check_no_yes(answered)


@given(workload=st.sampled_from(WORKLOADS), spec=SPECS | JSON, old=SPECS | JSON)
def test_a_workload_gets_no_yes_while_the_verifier_says_no(workload: tuple[str, str], spec: Any, old: Any) -> None:
    group, kind = workload
    given_request = request(placed(kind, spec), kind=kind)
    given_request["kind"]["group"] = group
    check_no_yes(rejected(review(given_request), "/validate")[0])


@given(workload=st.sampled_from(WORKLOADS), spec=SPECS, old=SPECS)
def test_an_update_gets_a_yes_unasked_only_where_no_image_is_new(
    workload: tuple[str, str], spec: dict[str, Any], old: dict[str, Any]
) -> None:
    group, kind = workload
    given_request = request(placed(kind, spec), kind=kind, operation="UPDATE", old=placed(kind, old))
    given_request["kind"]["group"] = group
    answered, desk = rejected(review(given_request), "/validate")
    if answered.allowed:
        assert desk.verifier.questions == []
        assert images(spec) == images(old)


def images(spec: dict[str, Any]) -> set[str]:
    """Every image of a Pod spec, read in another way than the adapter's."""
    containers = [
        one for name in ("containers", "initContainers", "ephemeralContainers") for one in spec.get(name) or ()
    ]
    volumes = [one for one in spec.get("volumes") or () if one.get("image") is not None]
    return {one.get("image", "") for one in containers} | {one["image"].get("reference", "") for one in volumes}


@given(spec=SPECS)
def test_a_patch_fits_the_object_and_leaves_no_tag_that_has_a_digest(spec: dict[str, Any]) -> None:
    desk, obj = Desk(), {"kind": "Pod", "spec": spec}
    answered = asyncio.run(desk.post(review(request(obj)), "/mutate"))
    if answered.allowed:
        now = applied(obj, patch_of(answered))["spec"]
        now.pop("ephemeralContainers", None)
        assert all("@" in image for image in images(now) if image)
