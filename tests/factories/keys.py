"""Key versions for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from signer.keys.algorithms import Algorithm, fingerprint
from signer.keys.model import KeyState, KeyVersion, Purpose

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def key_version(*, public_key: bytes, handle: bytes, **changes: Any) -> KeyVersion:
    """Return version 1 of the image key `release`."""
    version = KeyVersion(
        key="release",
        version=1,
        purpose=Purpose.IMAGE_SIGNATURE,
        algorithm=Algorithm.ECDSA_P256_SHA256,
        public_key=public_key,
        fingerprint=fingerprint(public_key),
        handle=handle,
        state=KeyState.ENABLED,
        created_at=CREATED,
        revoked_from=None,
    )
    return replace(version, **changes)
