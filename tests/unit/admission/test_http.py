"""What is no review is refused with a status and a sentence; how much time a review has."""

import asyncio
import json

import pytest
from admission.deadlines import left, seconds_of
from admission.errors import NoReview
from admission.webhook import LARGEST_BODY
from chassis.identity import correlation_id

from tests.factories.reviews import UID, pod, request, review
from tests.fakes.webhook import Desk

GOOD = review(request(pod()))


def changed(**changes: object) -> bytes:
    return json.dumps(json.loads(GOOD) | changes).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"a":' * 100_000,
        b"[" * 100_000,
        changed(kind=1, request=None),
        changed(request=None),
        changed(request={}),
        changed(request={**request(pod()), "uid": ""}),
        changed(request={**request(pod()), "uid": "u" * 257}),
        changed(request={**request(pod()), "uid": None}),
        b"k8s\x00\x0a\x14",
        b"apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n",
    ],
)
@pytest.mark.parametrize("path", ["/validate", "/mutate"])
async def test_a_body_that_is_no_review_is_refused(desk: Desk, path: str, body: bytes) -> None:
    answered = await desk.post(body, path)
    assert answered.status == 400
    assert answered.body.endswith(b"\n")
    assert len(answered.body) < 500
    assert desk.verifier.questions == []
    assert desk.counted("refused_requests_total", status="400") == 1


COMPACT = json.dumps(json.loads(GOOD), separators=(",", ":")).encode()
DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b","
BROKEN = {
    "cut off": GOOD[:-1],
    "cut off after the uid": GOOD[: GOOD.index(UID.encode()) + len(UID) + 1],
    "not UTF-8": GOOD.replace(b'"jane"', b'"\xff"'),
    "a lone surrogate": GOOD.replace(b'"jane"', b'"\\ud800"'),
    "NaN": COMPACT.replace(b'"spec":{', b'"spec":{"x":NaN,'),
    "infinity": COMPACT.replace(b'"spec":{', b'"spec":{"x":-Infinity,'),
    "nested deep": COMPACT.replace(b'"spec":{', b'"spec":' + DEEP),
    "nested deep beside the object": COMPACT.replace(b'"object":{', b'"options":' + DEEP + b'"y":1},"object":{'),
    "a beta version": changed(apiVersion="admission.k8s.io/v1beta1"),
    "another kind": changed(kind="ImageReview"),
    "a kind that is a number": changed(kind=1),
    "an object's kind that is a text": changed(request={**request(pod()), "kind": "Pod"}),
    "no operation": changed(request={**request(pod()), "operation": None}),
    "images twice": COMPACT.replace(b'"image":', b'"image":"evil:1","image":'),
    "images twice, escaped": COMPACT.replace(b'"image":', b'"im\\u0061ge":"evil:1","image":'),
    "images twice, spaced": COMPACT.replace(b'"image":', b'"image" :"evil:1","image":'),
    "containers twice": COMPACT.replace(b'"spec":{', b'"spec":{"containers":[],'),
    "objects twice": COMPACT.replace(b'"object":', b'"object":null,"object":'),
    "a name twice behind a text that evens it out": COMPACT.replace(
        b'"image":', b'"image":"evil:1","note":"\\u0022:","image":'
    ),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("path", ["/validate", "/mutate"])
async def test_a_broken_review_is_denied_where_it_says_what_it_is_of(desk: Desk, path: str, body: bytes) -> None:
    answered = await desk.post(body, path)
    assert (answered.status, answered.response["uid"], answered.response["allowed"]) == (200, UID, False)
    assert answered.message.startswith("hallmark: NO_REVIEW: The body is ")
    assert len(answered.message) < 500
    assert desk.verifier.questions == []
    assert desk.counted("refused_requests_total", status="400") == 1


@pytest.mark.parametrize(
    "content_type", [None, "", "text/json", "application/yaml", "application/vnd.kubernetes.protobuf", "x"]
)
async def test_another_content_type_is_refused(desk: Desk, content_type: str | None) -> None:
    assert (await desk.post(GOOD, content_type=content_type)).status == 400


async def test_parameters_of_the_content_type_are_none_of_ours(desk: Desk) -> None:
    assert (await desk.post(GOOD, content_type="Application/JSON; charset=utf-8")).allowed


@pytest.mark.parametrize("path", ["/", "/validate/", "/imagereview", "/../validate"])
async def test_there_is_nothing_elsewhere(desk: Desk, path: str) -> None:
    assert (await desk.post(GOOD, path)).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_reviews_are_posted(desk: Desk, method: str) -> None:
    assert (await desk.post(GOOD, method=method)).status == 405


async def test_a_body_above_three_mebibytes_is_refused(desk: Desk) -> None:
    padded = GOOD + b"\n" * (LARGEST_BODY - len(GOOD))
    assert (await desk.post(padded)).allowed
    answered = await desk.post(padded + b"\n")
    assert (answered.response["uid"], answered.response["allowed"]) == (UID, False)
    assert str(LARGEST_BODY) in answered.message
    assert (await desk.post(b" " * (LARGEST_BODY + 1))).status == 413
    assert desk.counted("refused_requests_total", status="413") == 2


async def test_a_body_that_does_not_arrive_in_time_is_refused(desk: Desk) -> None:
    def stall() -> None:
        raise TimeoutError

    desk.while_sending = stall
    assert (await desk.post(GOOD)).status == 408


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 10.0),
        ("10s", 10.0),
        ("1s", 1.0),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("0s", 0.0),
        ("1m30s", 30.0),
        ("999999999h", 30.0),
    ],
)
def test_the_timeout_is_a_duration(text: str | None, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "-1s", "1 s", "s", "1s2", "1e3s", "nan", "infs", "1s" * 17, "٣s"])
def test_a_timeout_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NoReview):
        seconds_of(text)


async def test_a_timeout_that_is_none_is_refused_over_http(desk: Desk) -> None:
    for query in ("timeout=soon", "timeout=", "timeout=1s&timeout=-1s"):
        answered = await desk.post(GOOD, query=query)
        assert not answered.allowed
        assert "is no duration such as 10s" in answered.message
        assert (await desk.post(b"", query=query)).status == 400
    assert desk.verifier.questions == []


def test_a_part_of_the_time_is_kept_for_the_answer() -> None:
    assert left(10.0, 2.0) == pytest.approx(7.7)
    assert left(0.4, 0.0) == pytest.approx(0.1)
    assert left(0.39, 0.0) is None
    assert left(10.0, 10.0) is None


async def test_the_verifier_gets_what_is_left_of_the_timeout(desk: Desk) -> None:
    desk.while_sending = lambda: desk.clock.advance(2.0)
    await desk.post(GOOD, query="timeout=5s", chunk=len(GOOD))
    await desk.post(GOOD, query="", chunk=len(GOOD))
    assert desk.verifier.seconds == [pytest.approx(2.7), pytest.approx(7.7)]


@pytest.mark.parametrize("query", ["timeout=300ms", "timeout=0s", "timeout=1s&timeout=1ms"])
async def test_a_timeout_that_is_too_short_keeps_the_object_out(desk: Desk, query: str) -> None:
    answered = await desk.post(GOOD, query=query)
    assert not answered.allowed
    assert "timeoutSeconds" in answered.message
    assert desk.verifier.questions == []


async def test_what_needs_no_verifier_needs_no_time(desk: Desk) -> None:
    assert (await desk.post(review(request({}, kind="Scale")), query="timeout=1ms")).allowed


async def test_reviews_do_not_share_a_correlation_id(desk: Desk) -> None:
    seen: list[str] = []
    verify = desk.verifier.verify

    async def remember(*given: object) -> object:
        seen.append(correlation_id())
        return await verify(*given)  # type: ignore[arg-type]  # passed on as it came

    desk.verifier.verify = remember  # type: ignore[method-assign,assignment]
    bodies = [review({**request(pod()), "uid": uid}) for uid in ("one", "two", "no correlation id\n")]
    await asyncio.gather(*(desk.post(body) for body in bodies))
    assert seen[:2] == ["one", "two"]
    assert len(seen[2]) == 16
