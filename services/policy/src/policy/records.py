"""What the service keeps: revisions of policies, which of them were in force, and decisions."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chassis.errors import Refusal


@dataclass(frozen=True, slots=True)
class Revision:
    """A policy of a cluster as it was created; `number` from 1, `sha256` (hex) is that of its document."""

    cluster: str
    number: int
    author: str
    time: datetime
    comment: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Activation:
    """A revision came into force. `number` orders all activations of all clusters.

    `before` is the activation that rolling back returns to, `previous_revision` its revision; None and 0 for none.
    """

    number: int
    cluster: str
    revision: int
    author: str
    time: datetime
    before: int | None
    previous_revision: int


@dataclass(frozen=True, slots=True)
class ActiveDocument:
    """The policy in force in a cluster, with the number of its activation."""

    activation: int
    cluster: str
    revision: int
    document: bytes


class Outcome(Enum):
    """What was found about an image."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    UNAVAILABLE = "UNAVAILABLE"


class Effect(Enum):
    """What was done about it."""

    ADMIT = "ADMIT"
    ADMIT_WITH_WARNING = "ADMIT_WITH_WARNING"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict on one image of one admission request; `policy_revision` 0 where no policy was reached."""

    decision_id: str
    time: datetime
    cluster: str
    namespace: str
    object_kind: str
    requester: str
    image: str
    found_at: str
    digest: str
    outcome: Outcome
    effect: Effect
    rule: str
    policy_revision: int
    reasons: tuple[str, ...]
    message: str
    dry_run: bool
    correlation_id: str


@dataclass(frozen=True, slots=True)
class RefusedDecision:
    """A decision that is not kept, by its id as it was sent, and why."""

    decision_id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: how many are new, how many were kept before, and which were refused."""

    new: int
    known: int
    refused: tuple[RefusedDecision, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions; an empty field is no condition, and all that are set must hold."""

    cluster: str = ""
    namespace: str = ""
    image: str = ""
    outcomes: tuple[Outcome, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """How many decisions were alike, and when the last of them was made."""

    cluster: str
    rule: str
    outcome: Outcome
    effect: Effect
    reason: str
    count: int
    last: datetime
