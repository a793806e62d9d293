"""How the embedded vault encrypts what it puts into the database: AES-256-GCM, bound to what the plaintext is for.

A sealed box is one format byte, a random nonce of 12 bytes, and the ciphertext with its tag. The associated data is the
identity of the private key, so that a box moved to another key, version, algorithm or purpose does not open.
"""

import json
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signer.errors import WrongSecret
from signer.keys.vault import Identity

_FORMAT: Final = b"\x01"
_NONCE_BYTES: Final = 12


def seal(key: bytes, identity: Identity, plaintext: bytes) -> bytes:
    """Encrypt under a 32-byte key, for this identity alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, _associated(_FORMAT, identity))


def unseal(key: bytes, identity: Identity, box: bytes) -> bytes:
    """Decrypt. Raises WrongSecret where the key, the identity or any byte of the box is another."""
    start = len(_FORMAT) + _NONCE_BYTES
    try:
        return AESGCM(key).decrypt(box[1:start], box[start:], _associated(box[:1], identity))
    except (InvalidTag, ValueError) as problem:
        raise WrongSecret(
            f"The private key of {identity.key}@{identity.version} does not open: the vault's secret or key file is not"
            " the one it was sealed with, or the database was altered. Give the signer the right file, or restore the"
            " database."
        ) from problem


def _associated(form: bytes, identity: Identity) -> bytes:
    parts = ["hallmark private key", identity.key, identity.version, identity.algorithm.value, identity.purpose.value]
    return form + json.dumps(parts).encode()
