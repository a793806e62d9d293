"""Eight bytes in the place of a path, where all that matters is whether two paths are the same."""

import secrets
from hashlib import blake2b

_KEY = 16


def new_key() -> bytes:
    """A key of its own for each layer, so that nobody can choose paths whose places fall together."""
    return secrets.token_bytes(_KEY)


def place(path: str, key: bytes) -> int:
    """The place of a path under a key: a signed number of 64 bits."""
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)
