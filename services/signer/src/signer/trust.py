"""What verifiers must know: key versions, revocations and what these leave standing, and word of new signings."""

from dataclasses import dataclass

from registry.digests import Digest

from signer.keys.model import KeyVersion
from signer.revocations import Revocation


@dataclass(frozen=True, slots=True)
class EarlierSigning:
    """A payload that counts although its key version is revoked: it was recorded before. SHA-256 in 32 bytes."""

    signing_id: str
    payload_sha256: bytes


@dataclass(frozen=True, slots=True)
class EarlierSignings:
    """Some of what a revocation of a key version leaves standing; several of these add up."""

    revocation_id: str
    signings: tuple[EarlierSigning, ...]


@dataclass(frozen=True, slots=True)
class SigningNotice:
    """Word that digests of `host/repository` have a new signature."""

    signing_id: str
    repository: str
    digests: tuple[Digest, ...]


TrustRecord = KeyVersion | Revocation | EarlierSignings | SigningNotice
