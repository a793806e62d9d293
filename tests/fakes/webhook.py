"""Calls the adapter's webhook as its HTTP server does, and stands in for the verifier behind its port."""

import base64
import json
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from admission.errors import NotJudged
from admission.metrics import Metrics
from admission.verdicts import Effect, Question, Verdict
from admission.webhook import Webhook
from prometheus_client import CollectorRegistry

from tests.factories.reviews import Json
from tests.fakes.clock import FakeClock

DIGEST = "sha256:" + "d" * 64
JSON_TYPE = "application/json"


@dataclass
class ScriptedVerifier:
    """A Verifier that answers what it is told to, and remembers what it was asked."""

    effect: Callable[[str], Effect] = lambda _: Effect.ADMIT
    pinned: Callable[[str], str | None] = lambda image: f"{image}@{DIGEST}"
    failure: Exception | None = None
    questions: list[Question] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    resolved: list[list[str]] = field(default_factory=list)

    async def verify(self, question: Question, seconds: float) -> Sequence[Verdict]:
        self.questions.append(question)
        self.seconds.append(seconds)
        if self.failure:
            raise self.failure
        return [
            Verdict(one, self.effect(one.image), f"Image {one.image!a} is judged by rule 'payments'.")
            for one in question.images
        ]

    async def resolve(self, namespace: str, images: Sequence[str], seconds: float) -> Sequence[str | None]:
        self.resolved.append(list(images))
        self.seconds.append(seconds)
        if self.failure:
            raise self.failure
        return [self.pinned(image) for image in images]

    @property
    def asked(self) -> list[str]:
        """The images of the one question that was asked."""
        (question,) = self.questions
        return [one.image for one in question.images]


SILENT = NotJudged("UNAVAILABLE", "The verifier did not judge the images. It cannot be reached.")


@dataclass(frozen=True)
class Answered:
    """What came back over HTTP."""

    status: int
    body: bytes
    content_type: str

    @property
    def response(self) -> dict[str, Any]:
        """The response of the review."""
        answer = json.loads(self.body)
        assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        given: dict[str, Any] = answer["response"]
        return given

    @property
    def allowed(self) -> bool:
        """Whether the object is let in."""
        return self.status == 200 and self.response["allowed"] is True

    @property
    def message(self) -> str:
        """Why it is not let in."""
        text: str = self.response["status"]["message"]
        return text


class Desk:
    """A webhook with a scripted verifier."""

    def __init__(self) -> None:
        self.verifier = ScriptedVerifier()
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.webhook = Webhook(self.verifier, Metrics(self.registry), self.clock)
        self.while_sending: Callable[[], None] = lambda: None

    def counted(self, name: str, **labels: str) -> float | None:
        """The value of a metric."""
        return self.registry.get_sample_value(f"hallmark_admission_{name}", labels)

    async def post(
        self,
        body: bytes,
        path: str = "/validate",
        *,
        query: str = "timeout=10s",
        content_type: str | None = JSON_TYPE,
        method: str = "POST",
        chunk: int = 1 << 16,
    ) -> Answered:
        """Send a request, body in chunks, and give the answer."""
        chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            self.while_sending()
            part = chunks.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(chunks)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        headers = [(b"content-type", content_type.encode())] if content_type is not None else []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
        }
        await self.webhook(scope, receive, send)
        start, end = sent
        return Answered(start["status"], end["body"], dict(start["headers"])[b"content-type"].decode())


def patch_of(answered: Answered) -> list[Json]:
    """The operations of the patch; none where there is no patch."""
    response = answered.response
    assert response["allowed"] is True
    assert ("patch" in response) == ("patchType" in response)
    if "patch" not in response:
        return []
    assert response["patchType"] == "JSONPatch"
    operations: list[Json] = json.loads(base64.b64decode(response["patch"]))
    return operations


def applied(obj: Json, operations: list[Json]) -> Json:
    """The object after a patch of replacements (RFC 6902)."""
    changed: Json = json.loads(json.dumps(obj))
    for operation in operations:
        assert operation["op"] == "replace"
        *parents, last = operation["path"].split("/")[1:]
        place: Any = changed
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place[step]
        assert last in place
        place[last] = operation["value"]
    return changed
