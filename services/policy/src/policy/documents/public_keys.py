"""Public keys in policies: which ones a signature may rest on."""

import hashlib
import re
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

LONGEST_PEM: Final = 16 * 1024
_BLOCK: Final = re.compile(r"\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*", re.ASCII)
_CURVES: Final = frozenset({SECP256R1.name, SECP384R1.name, SECP521R1.name})
_RSA_BITS: Final = frozenset({2048, 3072, 4096})


class UnusableKey(Exception):
    """The text is no public key that a policy may name; the sentence says why."""


def fingerprint(pem: str) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo in DER, in hex: the same for every spelling. Raises UnusableKey."""
    if len(pem) > LONGEST_PEM:
        raise UnusableKey("A PEM has at most 16 KiB.")
    if not _BLOCK.fullmatch(pem):
        raise UnusableKey("This is not one PEM block BEGIN PUBLIC KEY.")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey("This PEM holds no public key that can be read.") from error
    match key:
        case EllipticCurvePublicKey() if key.curve.name in _CURVES:
            pass
        case RSAPublicKey() if key.key_size in _RSA_BITS:
            pass
        case Ed25519PublicKey():
            pass
        case _:
            raise UnusableKey("A key is ECDSA on P-256, P-384 or P-521, RSA of 2048, 3072 or 4096 bits, or Ed25519.")
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
