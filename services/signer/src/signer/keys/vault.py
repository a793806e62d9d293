"""The port to whatever holds private keys, and the one way in which the signer signs with it."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from signer.errors import VaultFaulty
from signer.keys.algorithms import Algorithm, verifies
from signer.keys.model import KeyVersion, Purpose


@dataclass(frozen=True, slots=True)
class Identity:
    """What a private key is bound to in the vault: it opens for exactly this name, version, algorithm and purpose."""

    key: str
    version: int
    algorithm: Algorithm
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Made:
    """A new key pair: the public half (SubjectPublicKeyInfo in DER), and what the vault needs to sign with it."""

    public_key: bytes
    handle: bytes


class Vault(Protocol):
    """Makes key pairs and signs digests. A private key never leaves it."""

    @property
    def name(self) -> str:
        """The vault's name, kept with each key."""
        ...

    @property
    def algorithms(self) -> frozenset[Algorithm]:
        """The algorithms that it can make keys for."""
        ...

    async def create(self, identity: Identity) -> Made:
        """Make a key pair bound to `identity`."""
        ...

    async def sign(self, identity: Identity, handle: bytes, digest: bytes) -> bytes:
        """Sign a SHA-256 digest (32 bytes). Raises WrongSecret where the handle is not of this identity or vault."""
        ...

    async def check(self) -> None:
        """Sign a random nonce and verify it. Raises WrongSecret or VaultUnavailable."""
        ...


async def sign(vault: Vault, version: KeyVersion, message: bytes) -> bytes:
    """Sign a message and check the signature with the public key on record before anybody sees it."""
    identity = Identity(version.key, version.version, version.algorithm, version.purpose)
    digest = hashlib.sha256(message).digest()
    signature = await vault.sign(identity, version.handle, digest)
    if not verifies(version.algorithm, version.public_key, signature, digest):
        raise VaultFaulty(
            f"The vault {vault.name} returned a signature of {version.key}@{version.version} that its public key does"
            " not verify. Nothing was signed; have the vault and the key's record checked."
        )
    return signature
