"""What is judged, and by what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.references import Reference

from verifier.trust import Trust

TOLERANCE = timedelta(minutes=5)
"""How far a time that others state may lie ahead of our clock."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An image as it was named, the digest that it stands for, and what is trusted at which time."""

    image: Reference
    digest: str
    trust: Trust
    now: datetime
