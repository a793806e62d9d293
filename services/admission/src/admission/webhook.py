"""The HTTPS side: a request in, one answer out. Whatever goes wrong, the answer lets nothing in."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from chassis.clock import Clock
from chassis.errors import Kind
from chassis.http import BodyTooLarge, Receive, Scope, Send, answer, read_body
from chassis.identity import CORRELATION_ID

from admission import sentences
from admission.deadlines import left, patience, seconds_of
from admission.errors import NoReview, NoSuchPath, NotPosted, ReviewTooLarge, ReviewTooSlow, Unreadable
from admission.metrics import Metrics
from admission.mutation import pin
from admission.reviews import Request, allow, decode_review, deny, patch, uid_of
from admission.uniqueness import demand_unique
from admission.validation import validate
from admission.verdicts import Verifier

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 3 << 20
"""The API server's own bound of an object, 3 MiB."""
_JSON: Final = "application/json"
_CORRELATION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

Handler = Callable[[Request, float | None], Awaitable[tuple[str, bytes]]]


class Webhook:
    """An ASGI application with /validate and /mutate."""

    def __init__(self, verifier: Verifier, metrics: Metrics, clock: Clock) -> None:
        self._verifier = verifier
        self._metrics = metrics
        self._clock = clock
        self._handlers: dict[str, Handler] = {"/validate": self._validate, "/mutate": self._mutate}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        arriving = _Arriving(receive)
        try:
            body = await self._answer(scope, arriving)
        except NoReview as error:
            self._metrics.refused(error.status)
            await _refuse(send, error, uid_of(arriving.body))
        else:
            await answer(send, 200, body, _JSON)

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        start = self._clock.monotonic()
        path: str = scope["path"]
        handler = self._handlers.get(path)
        if handler is None:
            raise NoSuchPath("There is /validate and /mutate.")
        timeout = _demand_review(scope)
        given = await _body(receive, patience(timeout))
        demand_unique(given)
        request, seconds = decode_review(given), seconds_of(timeout)
        CORRELATION_ID.set(request.uid if _CORRELATION.fullmatch(request.uid) else secrets.token_hex(8))
        spent = self._clock.monotonic() - start
        try:
            outcome, body = await handler(request, left(seconds, spent))
        except Exception:  # a defect of ours must not become an answer that the API server could take for a yes
            log.exception("review failed", extra={"path": path, "uid": request.uid})
            outcome = "failed"
            body = deny(request.uid, sentences.refusal("INTERNAL", "The adapter failed; its log tells more."))
        self._metrics.answered(path, request, outcome, self._clock.monotonic() - start)
        return body

    async def _validate(self, request: Request, seconds: float | None) -> tuple[str, bytes]:
        decision = await validate(request, self._verifier, seconds)
        if decision.verifier_error:
            self._failed(decision.verifier_error)
        if decision.allowed:
            return decision.outcome.value, allow(request.uid, decision.warnings)
        return decision.outcome.value, deny(request.uid, decision.message, decision.warnings)

    async def _mutate(self, request: Request, seconds: float | None) -> tuple[str, bytes]:
        try:
            pinning = await pin(request, self._verifier, seconds)
        except Unreadable as error:
            return "unanswered", deny(request.uid, sentences.refusal(error.reason, error.message))
        if pinning.verifier_error:
            self._failed(pinning.verifier_error)
        return "pinned" if pinning.operations else "allowed", patch(request.uid, pinning.operations)

    def _failed(self, kind: Kind) -> None:
        self._metrics.verifier_failed(kind.value)
        log.warning("verifier did not answer", extra={"kind": kind.value})


class _Arriving:
    """A body as far as it arrived, for whom the answer is when it is none that can be judged."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._parts: list[bytes] = []

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._parts.append(message.get("body", b""))
        return message

    @property
    def body(self) -> bytes:
        """What arrived."""
        return b"".join(self._parts)


async def _refuse(send: Send, error: NoReview, uid: str | None) -> None:
    """A denial where it is known of what, so that a person gets to read the sentence; else HTTP's own status."""
    if uid is None:
        await answer(send, error.status, f"{error.message}\n".encode(), "text/plain; charset=utf-8")
    else:
        await answer(send, 200, deny(uid, sentences.refusal(error.reason, error.message)), _JSON)


def _demand_review(scope: Scope) -> str | None:
    """The text that says how long the API server waits. Raises NotPosted, NoReview."""
    if scope["method"] != "POST":
        raise NotPosted("An admission review is posted.")
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if content_type != _JSON:
        raise NoReview(f"An admission review is {_JSON}; this is {content_type[:100]!a}.")
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=16)
    given: Sequence[str | None] = query.get("timeout", [None])
    return given[-1]


async def _body(receive: Receive, seconds: float) -> bytes:
    try:
        return await read_body(receive, LARGEST_BODY, seconds)
    except BodyTooLarge:
        raise ReviewTooLarge(f"A review has at most {LARGEST_BODY} bytes; make the object smaller.") from None
    except TimeoutError:
        raise ReviewTooSlow("The review did not arrive within its own timeout.") from None
