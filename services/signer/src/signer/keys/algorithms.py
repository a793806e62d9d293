"""The algorithms of key versions: how a pair is made, how it signs, and how a signature is checked.

Each algorithm binds one kind of key to one hash and one padding. These are the ones that cosign and skopeo both accept
with a plain public key.
"""

import hashlib
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DIGEST_BYTES: Final = 32


class Algorithm(Enum):
    """How a key version signs: over the SHA-256 of a message; ECDSA signatures are DER, RSA ones PKCS #1 v1.5."""

    ECDSA_P256_SHA256 = "ECDSA_P256_SHA256"
    RSA_2048_PKCS1V15_SHA256 = "RSA_2048_PKCS1V15_SHA256"
    RSA_3072_PKCS1V15_SHA256 = "RSA_3072_PKCS1V15_SHA256"
    RSA_4096_PKCS1V15_SHA256 = "RSA_4096_PKCS1V15_SHA256"


_RSA_BITS: Final = {
    Algorithm.RSA_2048_PKCS1V15_SHA256: 2048,
    Algorithm.RSA_3072_PKCS1V15_SHA256: 3072,
    Algorithm.RSA_4096_PKCS1V15_SHA256: 4096,
}


def generate(algorithm: Algorithm) -> PrivateKey:
    """Make a private key; takes up to a second for RSA."""
    if algorithm is Algorithm.ECDSA_P256_SHA256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[algorithm])


def sign_digest(private_key: PrivateKey, digest: bytes) -> bytes:
    """Sign a SHA-256 digest (32 bytes)."""
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        # RFC 6979: signing the same bytes again gives the same signature, so that a resumed signing adds no second one.
        return private_key.sign(digest, ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True))
    return private_key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256()))


def verifies(algorithm: Algorithm, public_key: bytes, signature: bytes, digest: bytes) -> bool:
    """Say whether `signature` is one of a SHA-256 digest by the public key (SubjectPublicKeyInfo in DER)."""
    key = load_der_public_key(public_key)
    try:
        if algorithm is Algorithm.ECDSA_P256_SHA256 and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(Prehashed(SHA256())))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size == _RSA_BITS.get(algorithm):
            key.verify(signature, digest, padding.PKCS1v15(), Prehashed(SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def public_der(private_key: PrivateKey) -> bytes:
    """Return the public half as SubjectPublicKeyInfo in DER."""
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_pem(public_key: bytes) -> str:
    """Return SubjectPublicKeyInfo in PEM, given in DER."""
    key = load_der_public_key(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def fingerprint(public_key: bytes) -> str:
    """Return the SHA-256 of SubjectPublicKeyInfo in DER, as 64 lower-case hex digits."""
    return hashlib.sha256(public_key).hexdigest()
