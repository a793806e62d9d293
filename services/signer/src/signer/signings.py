"""The record of what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from registry.digests import Digest

from signer.risk import GateEvidence


class SigningState(Enum):
    """How far a signing has come: recorded, all of it in the registry, or refused on its way there."""

    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"


class Format(Enum):
    """The form in which a signature is stored."""

    SIMPLE_SIGNING = "SIMPLE_SIGNING"
    BUNDLE = "BUNDLE"


@dataclass(frozen=True, slots=True)
class SignedPayload:
    """A payload that was signed, by its SHA-256 (32 bytes)."""

    form: Format
    sha256: bytes


@dataclass(frozen=True, slots=True)
class SignedDigest:
    """What was signed for one digest, and the risk by which it passed the gate."""

    digest: Digest
    gate: GateEvidence
    payloads: tuple[SignedPayload, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """One act of signing: an image, and for an index its platform manifests with it; the image's own digest is first.

    `repository` is `host/repository`, `signer` a SPIFFE id, `failure` a sentence, empty unless FAILED.
    """

    signing_id: str
    repository: str
    tag: str
    key: str
    key_version: int
    fingerprint: str
    signer: str
    signed_at: datetime
    claims: Mapping[str, str]
    state: SigningState
    digests: tuple[SignedDigest, ...]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which signings to list; empty fields match all. `digest` matches an image's or a platform manifest's."""

    repository: str = ""
    digest: Digest | None = None
    key: str = ""
