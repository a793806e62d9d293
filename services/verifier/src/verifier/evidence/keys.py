"""Public keys, and whether a signature is theirs.

The algorithm belongs to the key: it follows from what is on record (the signer's, or what a PEM of its kind means), and
nothing in a signature or an envelope can change it.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from verifier.reasons import Code, Rejection

PEM_BYTES = 16 * 1024
"""The longest PEM that is read."""

_PEM = re.compile(r"\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*", re.ASCII)

Raw: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Algorithm(Enum):
    """How a key signs: SHA-256 wherever there is a hash, which is what cosign and skopeo accept too."""

    ECDSA_P256 = "ECDSA P-256 with SHA-256"
    ECDSA_P384 = "ECDSA P-384 with SHA-256"
    ECDSA_P521 = "ECDSA P-521 with SHA-256"
    RSA_2048 = "RSA 2048, PKCS #1 v1.5 with SHA-256"
    RSA_3072 = "RSA 3072, PKCS #1 v1.5 with SHA-256"
    RSA_4096 = "RSA 4096, PKCS #1 v1.5 with SHA-256"
    ED25519 = "Ed25519"


_CURVES = {
    ec.SECP256R1.name: Algorithm.ECDSA_P256,
    ec.SECP384R1.name: Algorithm.ECDSA_P384,
    ec.SECP521R1.name: Algorithm.ECDSA_P521,
}
_RSA_BITS = {2048: Algorithm.RSA_2048, 3072: Algorithm.RSA_3072, 4096: Algorithm.RSA_4096}


class UnusableKey(Exception):
    """A public key that does not parse, or is of a kind that nothing may rest on; the text says which."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; two are the same when their fingerprints are.

    `fingerprint` is SHA-256 of the SubjectPublicKeyInfo in DER, 64 lower-case hex digits.
    """

    fingerprint: str
    algorithm: Algorithm
    raw: Raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.fingerprint == self.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def check(self, signature: bytes, signed: bytes) -> None:
        """Returns where the signature is this key's over these bytes; else raises Rejection INVALID_SIGNATURE."""
        try:
            _check(self.raw, signature, signed)
        except (InvalidSignature, ValueError) as error:
            raise Rejection(Code.INVALID_SIGNATURE, "A signature does not verify under the key.") from error


def parse_public_key(pem: str) -> PublicKey:
    """The key of a PEM that holds exactly one `PUBLIC KEY` block. Raises UnusableKey."""
    if len(pem) > PEM_BYTES or not _PEM.fullmatch(pem):
        raise UnusableKey("not one PEM block `PUBLIC KEY` of at most 16 KiB")
    try:
        raw = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey("not the SubjectPublicKeyInfo of a supported key") from error
    algorithm = _algorithm(raw)
    if algorithm is None or not isinstance(
        raw, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
    ):
        raise UnusableKey("none of ECDSA on P-256, P-384 or P-521, RSA of 2048, 3072 or 4096 bits, Ed25519")
    der = raw.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(hashlib.sha256(der).hexdigest(), algorithm, raw)


def _algorithm(raw: object) -> Algorithm | None:
    match raw:
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(raw.curve.name)
        case rsa.RSAPublicKey():
            return _RSA_BITS.get(raw.key_size)
        case ed25519.Ed25519PublicKey():
            return Algorithm.ED25519
    return None


def _check(raw: Raw, signature: bytes, signed: bytes) -> None:
    match raw:
        case ec.EllipticCurvePublicKey():
            # Strict DER only: one signature has one spelling (BER, trailing bytes and raw r‖s are refused).
            if encode_dss_signature(*decode_dss_signature(signature)) != signature:
                raise ValueError("not DER")
            raw.verify(signature, signed, ec.ECDSA(SHA256()))
        case rsa.RSAPublicKey():
            raw.verify(signature, signed, padding.PKCS1v15(), SHA256())
        case ed25519.Ed25519PublicKey():
            raw.verify(signature, signed)
