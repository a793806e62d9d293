"""The adapter's port to the verifier, in its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from admission.workloads import Form, NamedImage


class Effect(Enum):
    """What to do about an image."""

    ADMIT = "ADMIT"
    ADMIT_WITH_WARNING = "ADMIT_WITH_WARNING"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier says of one image."""

    named: NamedImage
    effect: Effect
    message: str


@dataclass(frozen=True, slots=True)
class Question:
    """The images of one admission request, and what the verifier records with its decision."""

    namespace: str
    requester: str
    object_kind: str
    form: Form
    dry_run: bool
    images: Sequence[NamedImage]


class Verifier(Protocol):
    """Judges images and finds digests."""

    async def verify(self, question: Question, seconds: float) -> Sequence[Verdict]:
        """One verdict for each image, in order. Raises NotJudged."""
        ...

    async def resolve(self, namespace: str, images: Sequence[str], seconds: float) -> Sequence[str | None]:
        """For each image the same with its present digest, None where it is to stay. Raises NotJudged."""
        ...
