"""Health: what a process says of itself, in plain HTTP beside its service: /livez, /readyz and /metrics."""

from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from chassis.http import Application, Receive, Scope, Send, answer

Check = Callable[[], str | None]
"""Tells in a sentence what is wrong; None where nothing is."""


class Health:
    """Ready when every named check has nothing to say, and the process does not drain."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._draining = False

    def drain(self) -> None:
        """Be ready no more."""
        self._draining = True

    def problems(self) -> dict[str, str]:
        """What is wrong, by the name of the check."""
        found = {"process": "It is shutting down."} if self._draining else {}
        for name, check in self._checks.items():
            problem = check()
            if problem is not None:
                found[name] = problem
        return found


def operations(health: Health, metrics: CollectorRegistry) -> Application:
    """The application behind a service's operations address."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # the form of ASGI
        match scope["type"], scope.get("path"):
            case "http", "/livez":
                await answer(send, 200, b"alive\n", "text/plain")
            case "http", "/readyz":
                problems = health.problems()
                await answer(send, 503 if problems else 200, msgspec.json.encode(problems), "application/json")
            case "http", "/metrics":
                await answer(send, 200, generate_latest(metrics), CONTENT_TYPE_LATEST)
            case "http", _:
                await answer(send, 404, b"There is /livez, /readyz and /metrics.\n", "text/plain")

    return application
