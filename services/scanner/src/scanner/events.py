"""Push events of registries: accepted into the store at once, looked into afterwards.

Format: CNCF distribution, "Work with notifications". Nothing of an event is trusted but repository, digest and tag, and
these only say where to look: in the target's own registry.
"""

import asyncio
import logging
import re
from datetime import timedelta

import msgspec
from chassis.clock import Clock
from chassis.errors import Refusal
from chassis.watch import Notifier
from registry.manifests import ACCEPTED, ImageManifest, Index, is_artifact
from registry.references import parse_reference

from scanner.errors import EventsMalformed, TokenRefused, TooManyPushes
from scanner.listening import heard
from scanner.metrics import ScanMetrics
from scanner.pulling.registry import Registry
from scanner.risk.freshness import MaxAge
from scanner.scan_records import Request, Trigger
from scanner.store import Store
from scanner.target_records import Push, Target
from scanner.targets import is_token_of, request_for_target

log = logging.getLogger(__name__)

MOST_EVENTS = 100
"""Events in one body."""
MOST_WAITING = 100_000
"""Pushes that are kept until they are looked into."""
PATIENCE = timedelta(seconds=15)
"""How long a push by digest alone waits for that of an index which holds it: tools push platforms so, and first."""
_AT_ONCE = 50
_LOOK_SECONDS = 15.0
"""For one push: a registry that hangs shall not keep those of others waiting."""
_STORE_PAUSE = 5.0
_COMPANION = re.compile(r"sha256-[0-9a-f]{64}(?:\.[a-z]{1,16})?", re.ASCII)


class _Pushed(msgspec.Struct, frozen=True):
    repository: str = ""
    digest: str = ""
    tag: str = ""
    media_type: str = msgspec.field(default="", name="mediaType")


class _Event(msgspec.Struct, frozen=True):
    action: str = ""
    target: _Pushed = _Pushed()


class _Envelope(msgspec.Struct, frozen=True):
    events: list[_Event]


def is_companion_tag(tag: str) -> bool:
    """Whether a tag names what belongs to an image, such as its signatures, rather than an image."""
    return _COMPANION.fullmatch(tag) is not None


class Events:
    """Accepts push events, and looks into them. `queue` hears of each scan that is queued."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        queue: Notifier,
        metrics: ScanMetrics,
        max_age: MaxAge,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._queue = queue
        self._metrics = metrics
        self._max_age = max_age
        self._received = Notifier()

    async def accept(self, name: str, token: str, body: bytes) -> int:
        """Store the pushes to a target that a body announces; return how many there are.

        Raises TokenRefused, EventsMalformed, TooManyPushes, and what the store refuses.
        """
        async with self._store.read() as unit:
            known = await is_token_of(unit, name, token)
            target = await unit.targets.get(name)
            waiting = await unit.pushes.count()
        if not known or target is None:
            self._metrics.event("unauthorized")
            raise TokenRefused("There is no such target, or the token is not its own.")
        if waiting > MOST_WAITING:
            raise TooManyPushes(f"{MOST_WAITING} pushes wait to be looked into.")
        pushes = [push for event in _events(body) if (push := self._push(target, event))]
        async with self._store.begin() as unit:
            for push in pushes:
                await unit.pushes.add(push, self._clock.now())
        self._received.notify()
        return len(pushes)

    def _push(self, target: Target, event: _Event) -> Push | None:
        outcome, push = _judge(target, event)
        self._metrics.event(outcome)
        return push

    async def run(self) -> None:
        """Look into pushes, until cancelled."""
        while True:
            received = self._received.listen()
            try:
                if not await self.look():
                    await heard(received, PATIENCE.total_seconds())
            except Refusal as refusal:
                log.warning("pushes not looked into", extra={"reason": refusal.reason})
                await asyncio.sleep(_STORE_PAUSE)

    async def look(self) -> bool:
        """Look into some pushes, if there are any. Raises what the store refuses."""
        now = self._clock.now()
        async with self._store.read() as unit:
            waiting = await unit.pushes.due(_AT_ONCE, now - PATIENCE, now)
        for push, seen in zip(waiting, await asyncio.gather(*map(self._see, waiting)), strict=True):
            await self._follow(push, *seen)
        return bool(waiting)

    async def _follow(self, push: Push, manifest: ImageManifest | Index | None, tag: str) -> None:
        wanted = not (isinstance(manifest, ImageManifest) and is_artifact(manifest))
        async with self._store.begin() as unit:
            target = await unit.targets.get(push.target)
            if wanted and target and target.enabled:
                request = Request(push.repository, push.digest, Trigger.PUSH, tag)
                await request_for_target(unit, target, request, self._clock, self._max_age)
            if isinstance(manifest, Index):
                await unit.pushes.remove_untagged(push.repository, [child.digest for child in manifest.manifests])
            await unit.pushes.remove(push)
        if wanted:
            self._queue.notify()
        else:
            self._metrics.event("artifact")

    async def _see(self, push: Push) -> tuple[ImageManifest | Index | None, str]:
        """What was pushed, and its tag if that points there now: an event may be forged, or an old one sent again.

        The manifest is None where it can't be told: it may be an image, and its scan will say what is wrong.
        """
        manifest, tag = None, ""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                manifest = await self._registry.manifest(push.repository, push.digest)
                if push.tag and await self._registry.resolve(push.repository, push.tag) == push.digest:
                    tag = push.tag
        except Refusal as refusal:
            log.info("push not looked up", extra={"target": push.target, "reason": refusal.reason})
        except TimeoutError:
            log.info("push not looked up", extra={"target": push.target, "reason": "TIMEOUT"})
        except Exception:  # one push must not end the scanner
            log.exception("push broken", extra={"target": push.target})
        return manifest, tag


def _events(body: bytes) -> list[_Event]:
    try:
        events = msgspec.json.decode(body, type=_Envelope).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise EventsMalformed(f"The body is none of push events: {problem}.") from problem
    if len(events) > MOST_EVENTS:
        raise EventsMalformed(f"The body holds more than {MOST_EVENTS} events.")
    return events


def _judge(target: Target, event: _Event) -> tuple[str, Push | None]:
    """What becomes of an event, as a word for metrics, and the push that it announces if it is followed."""
    pushed = event.target
    media_type = pushed.media_type.partition(";")[0]
    if event.action != "push" or (media_type and media_type not in ACCEPTED):
        return "other", None
    if is_companion_tag(pushed.tag):
        return "companion", None
    try:
        named = parse_reference(f"{target.registry}/{pushed.repository}{_tag(pushed.tag)}@{pushed.digest}")
    except Refusal:
        return "malformed", None
    if named.host != target.registry or not target.covers(named.name):
        return "unmatched", None
    if not target.enabled:
        return "disabled", None
    return "accepted", Push(target.name, named.name, str(named.digest), pushed.tag)


def _tag(tag: str) -> str:
    return f":{tag}" if tag else ""
