"""Revocations: what counts no more."""

from dataclasses import dataclass
from datetime import datetime

from registry.digests import Digest


@dataclass(frozen=True, slots=True)
class SigningTarget:
    """A signing, with every digest of it."""

    signing_id: str


@dataclass(frozen=True, slots=True)
class SignatureTarget:
    """The signatures on one digest by one key version."""

    digest: Digest
    key: str
    version: int


@dataclass(frozen=True, slots=True)
class DigestTarget:
    """A digest, with every digest of each signing that holds it."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class KeyVersionTarget:
    """A key version, except for what was recorded before a time."""

    key: str
    version: int
    start: datetime


Target = SigningTarget | SignatureTarget | DigestTarget | KeyVersionTarget


@dataclass(frozen=True, slots=True)
class Revocation:
    """One revocation; never taken back. `digests` are those that it covers; none for a key version."""

    revocation_id: str
    target: Target
    reason: str
    revoked_by: str
    created_at: datetime
    digests: tuple[Digest, ...]
