"""What a signature says once it is believed, whatever the form it is stored in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from verifier.evidence.strict import Json, malformed

SIGNING_ID = "hallmark.signing_id"
SIGNER = "hallmark.signer"
SIGNED_AT = "hallmark.signed_at"


class Format(Enum):
    """The form in which a signature is stored."""

    SIMPLE_SIGNING = "SIMPLE_SIGNING"
    BUNDLE = "BUNDLE"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signature stands: the digest of the manifest that holds it and the number of its layer."""

    format: Format
    manifest: str
    layer: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What is signed. Worth nothing before the signature over it is verified.

    `digest` is the image's, `identity` its `host/repository[:tag]` as written (may be empty), `annotations` every claim
    beside them, ours (`hallmark.…`) included.
    """

    digest: str
    identity: str
    annotations: Mapping[str, Json]

    @property
    def signing_id(self) -> str | None:
        """The signing it belongs to, for a signature that our signer made."""
        value = self.annotations.get(SIGNING_ID)
        return value if isinstance(value, str) and value else None

    @property
    def signer(self) -> str:
        """Who signed, as the signature states it; may be empty."""
        value = self.annotations.get(SIGNER)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as found and parsed, not yet verified.

    `signed` are the exact bytes under the signature, `payload` the statement in them (the same for a simple signing);
    `hint` is the key's fingerprint that a bundle names: a help for explaining, never a reason to trust.
    """

    place: Place
    signed: bytes
    signature: bytes
    claims: Claims
    signed_at: datetime | None
    payload_sha256: bytes
    hint: str | None

    @property
    def id(self) -> bytes:
        """SHA-256 that names exactly these signed bytes with exactly this signature."""
        return hashlib.sha256(hashlib.sha256(self.signed).digest() + self.signature).digest()


def signed_at(annotations: Mapping[str, Json]) -> datetime | None:
    """When it was signed: hallmark.signed_at (RFC 3339), else the integer `timestamp` (Unix seconds), else unknown.

    Raises Rejection INVALID_SIGNATURE for a time that is present and unreadable.
    """
    stated = annotations.get(SIGNED_AT)
    try:
        if stated is not None:
            return _rfc3339(stated)
        timestamp = annotations.get("timestamp")
        if isinstance(timestamp, int) and not isinstance(timestamp, bool):
            return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise malformed("the time of signing is unreadable") from error
    return None


def _rfc3339(value: Json) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a string")  # noqa: TRY004 - one kind of error for the caller
    time = datetime.fromisoformat(value)
    if time.tzinfo is None or "T" not in value:
        raise ValueError("no zone")
    return time.astimezone(UTC)
