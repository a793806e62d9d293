"""Keys and their versions, as everything in the signer speaks of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from signer.gate import Gate
from signer.keys.algorithms import Algorithm


class Purpose(Enum):
    """What a key may sign; fixed for life."""

    IMAGE_SIGNATURE = "IMAGE_SIGNATURE"
    ATTESTATION = "ATTESTATION"
    RAW = "RAW"


class KeyState(Enum):
    """Whether a key is in use: only an ENABLED one signs and verifies."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Key:
    """A key by name. `gate` is there exactly for purpose IMAGE_SIGNATURE."""

    name: str
    vault: str
    purpose: Purpose
    state: KeyState
    current_version: int
    algorithm: Algorithm
    gate: Gate | None
    labels: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One key pair. `public_key` is SubjectPublicKeyInfo in DER; `handle` is what the vault needs to sign with it."""

    key: str
    version: int
    purpose: Purpose
    algorithm: Algorithm
    public_key: bytes
    fingerprint: str
    handle: bytes
    state: KeyState
    created_at: datetime
    revoked_from: datetime | None
