"""The HTTPS listener for push events: `POST /events/<target>`, raw ASGI."""

import logging
import re
from collections.abc import Mapping

from chassis.errors import Kind, Refusal
from chassis.http import Application, BodyTooLarge, Receive, Scope, Send, answer, read_body

from scanner.events import Events

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Bytes of a body."""
_SECONDS = 10.0
"""Within which a body must have come."""
_PATH = re.compile(r"/events/([a-z0-9-]{1,63})", re.ASCII)
_STATUS: Mapping[Kind, int] = {
    Kind.UNAUTHENTICATED: 401,
    Kind.INVALID_ARGUMENT: 400,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
}
"""What a registry is told: it sends again what was answered with 503, and gives up on the others."""


def push_events(events: Events) -> Application:
    """The application behind the listener."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = _PATH.fullmatch(scope["path"])
        if path is None:
            await _say(send, 404, "Push events are taken at /events/<target>.")
        elif scope["method"] != "POST":
            await _say(send, 405, "Push events come by POST.")
        else:
            await _say(send, *await _accept(events, path[1], scope, receive))

    return application


async def _accept(events: Events, target: str, scope: Scope, receive: Receive) -> tuple[int, str]:
    """The status and sentence for a body of events."""
    try:
        body = await read_body(receive, LARGEST, _SECONDS)
        count = await events.accept(target, _token(scope), body)
    except BodyTooLarge:
        return 413, f"A body of events has {LARGEST} bytes at most."
    except TimeoutError:
        return 408, "The body did not come in time."
    except Refusal as refusal:
        log.info("push events refused", extra={"target": target, "reason": refusal.reason})
        return _STATUS.get(refusal.kind, 503), refusal.message
    return 202, f"{count} pushes are looked into."


def _token(scope: Scope) -> str:
    """The bearer token; empty where there is none, or more than one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    scheme, _, token = given[0].decode("latin-1").partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _say(send: Send, status: int, sentence: str) -> None:
    await answer(send, status, f"{sentence}\n".encode(), "text/plain")
