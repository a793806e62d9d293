"""Whether an object is let in. It is where nothing in it has an image, or every image in it may run; else it is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from chassis.errors import Kind

from admission import sentences
from admission.errors import NotJudged, Unreadable
from admission.reviews import Request
from admission.verdicts import Effect, Question, Verdict, Verifier
from admission.workloads import NamedImage, Workload, images_of, workload_of

MOST_IMAGES: Final = 100
"""How many images the verifier judges in one call."""
_NO_OBJECT: Final = frozenset({"DELETE", "CONNECT"})
"""Operations that store no object."""


class Outcome(Enum):
    """What became of a review."""

    ALLOWED = "allowed"
    WARNED = "warned"
    DENIED = "denied"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to answer. `verifier_error` is set where the verifier was asked and did not answer."""

    outcome: Outcome
    message: str = ""
    warnings: tuple[str, ...] = ()
    verifier_error: Kind | None = None

    @property
    def allowed(self) -> bool:
        """Whether the object is let in."""
        return self.outcome in (Outcome.ALLOWED, Outcome.WARNED)


_ALLOWED: Final = Decision(Outcome.ALLOWED)


async def validate(request: Request, verifier: Verifier, seconds: float | None) -> Decision:
    """Judge a request within so many seconds; None: too little time to ask. One call to the verifier at most."""
    workload = workload_of(request.kind.group, request.kind.kind)
    if workload is None or request.operation in _NO_OBJECT:
        return _ALLOWED
    try:
        images = _to_judge(request, workload)
        if not images:
            return _ALLOWED
        return _decide(await verifier.verify(_question(request, workload, images), _enough(seconds)))
    except NotJudged as error:
        return Decision(
            Outcome.UNANSWERED, sentences.refusal(error.code, error.message), verifier_error=error.verifier_error
        )


def _to_judge(request: Request, workload: Workload) -> Sequence[NamedImage]:
    """The images that the verifier is asked about; none where an update leaves all as they were."""
    try:
        images = images_of(workload, request.object)
    except Unreadable as error:
        raise NotJudged(error.reason, error.message) from error
    if _unchanged(request, workload, images):
        return ()
    if not images:
        raise NotJudged("UNREADABLE", f"This {workload.kind} names no image at all.")
    if len(images) > MOST_IMAGES:
        raise NotJudged(
            "LIMIT_EXCEEDED",
            f"This {workload.kind} names {len(images)} images; at most {MOST_IMAGES} are judged at once. Split it up.",
        )
    return images


def _enough(seconds: float | None) -> float:
    if seconds is None:
        raise NotJudged(
            "DEADLINE_EXCEEDED", "The webhook's timeout leaves no time to judge images; raise its timeoutSeconds."
        )
    return seconds


def _question(request: Request, workload: Workload, images: Sequence[NamedImage]) -> Question:
    return Question(
        namespace=request.namespace,
        requester=request.user_info.username,
        object_kind=workload.kind,
        form=workload.form,
        dry_run=bool(request.dry_run),
        images=images,
    )


def _unchanged(request: Request, workload: Workload, now: Sequence[NamedImage]) -> bool:
    """Whether an update leaves every image where it was, so that what runs or will run is what was judged before."""
    if request.operation != "UPDATE":
        return False
    try:
        before = images_of(workload, request.old_object)
    except Unreadable:
        # Without the object before, everything counts as new.
        return False
    return {image.identity for image in before} == {image.identity for image in now}


def _decide(verdicts: Sequence[Verdict]) -> Decision:
    warnings = sentences.warnings(verdicts)
    if any(verdict.effect is Effect.REJECT for verdict in verdicts):
        return Decision(Outcome.DENIED, sentences.denial(verdicts), warnings)
    return Decision(Outcome.WARNED if warnings else Outcome.ALLOWED, warnings=warnings)
