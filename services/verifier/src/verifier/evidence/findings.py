"""What was found about one digest in one repository, each signature attributed to the key under which it verifies."""

from dataclasses import dataclass
from typing import TypeAlias

from verifier.evidence.claims import Place, Signature
from verifier.evidence.keys import PublicKey
from verifier.reasons import Reason


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something in the place of a signature that does not parse as one."""

    place: Place
    reason: Reason


Stored: TypeAlias = Signature | Unreadable


@dataclass(frozen=True, slots=True)
class Attributed:
    """A parsed signature with the key under which it verifies; None: under none of those tried."""

    signature: Signature
    key: PublicKey | None


Finding: TypeAlias = Attributed | Unreadable
