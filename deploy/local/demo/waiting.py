"""Waiting for what happens by itself: a scan after a push, a risk that rises, a verifier that learns of it."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from deploy.local.demo.commands import Hallmark, Unexpected

PATIENCE_SECONDS = 120
POLL_SECONDS = 0.5
ENDED = {"SUCCEEDED", "FAILED"}

Value = TypeVar("Value")


def until(look: Callable[[], Value], good: Callable[[Value], bool], seconds: float = PATIENCE_SECONDS) -> Value:
    """Look until what is seen is good, or the time is over; gives what was seen last."""
    deadline = time.monotonic() + seconds
    seen = look()
    while not good(seen) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        seen = look()
    return seen


def scanned(hallmark: Hallmark, reference: str) -> dict[str, Any]:
    """The scan that a push of this image made begin, once it has ended. Raises Unexpected where there is none."""
    repository, _, digest = reference.partition("@")

    def look() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = hallmark.read("scans", "list", "--repository", repository, "--digest", digest)
        return found

    found = until(look, lambda scans: any(scan["state"] in ENDED for scan in scans))
    if not found or found[0]["state"] != "SUCCEEDED":
        raise Unexpected(f"{reference} was not scanned: {found[0]['failure'] if found else 'no scan began'}.")
    return found[0]
