"""Keys and revocations as the verifier holds them."""

from datetime import UTC, datetime
from typing import Any

from verifier.evidence.keys import parse_public_key
from verifier.trust import DigestsTarget, KeyVersion, Purpose, Revocation

from tests.factories import marks

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def version(key: marks.PrivateKey, name: str = "release", number: int = 1, **changes: Any) -> KeyVersion:
    """An enabled version of an image key, made long ago."""
    public = parse_public_key(marks.pem_of(key))
    members: dict[str, Any] = {
        "key": name,
        "version": number,
        "purpose": Purpose.IMAGE_SIGNATURE,
        "enabled": True,
        "fingerprint": public.fingerprint,
        "public": public,
        "unreadable": "",
        "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
        "revoked": False,
    }
    return KeyVersion(**members | changes)


def revocation(target: Any = None, *digests: str, name: str = "r1") -> Revocation:
    """A revocation, of the digests alone unless a target is given."""
    return Revocation(name, target or DigestsTarget(None), "it was a mistake", frozenset(digests))
