"""Digests: SHA-256 alone, checked wherever one comes in. Format: OCI image specification, descriptor.md."""

import hashlib
import re
from typing import Final, NewType

from chassis.errors import InvalidArgument

Digest = NewType("Digest", str)
"""`sha256:` and 64 lower-case hex digits."""

_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")


class InvalidDigest(InvalidArgument):
    """The text is no SHA-256 digest."""


def parse_digest(text: str) -> Digest:
    """Check a digest. Raises InvalidDigest for anything but `sha256:` and 64 lower-case hex digits."""
    if not _FORM.fullmatch(text):
        raise InvalidDigest(f"{text[:100]!r} is no digest accepted here: write sha256: and 64 lower-case hex digits.")
    return Digest(text)


def sha256_of(data: bytes) -> Digest:
    """The digest of these bytes."""
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")
