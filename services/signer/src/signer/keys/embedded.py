"""The embedded vault: key pairs made in this process, private keys sealed in the signer's own database.

A private key exists in the clear only inside a call of `create` or `sign`. The vault keeps a seal in the database: how
its key comes about, and a key pair of its own, which opens only with the right secret and with which `check` signs.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Final

from chassis.workers import Workers
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from signer.errors import VaultUnavailable
from signer.keys.algorithms import Algorithm, PrivateKey, generate, public_der, sign_digest, verifies
from signer.keys.model import Purpose
from signer.keys.sealing import seal, unseal
from signer.keys.secrets import KeySource, Protection
from signer.keys.vault import Identity, Made

NAME: Final = "embedded"
_CHECK: Final = Identity("", 0, Algorithm.ECDSA_P256_SHA256, Purpose.RAW)  # no key can have this name
_NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Seal:
    """What the database keeps of the vault: how its key comes about, and the key pair that its check signs with."""

    protection: Protection
    check: Made


def new_seal(source: KeySource, protection: Protection | None = None) -> Seal:
    """Make the seal of a vault that does not exist yet. Raises KeyFileExposed, KeyFileUnusable."""
    chosen = protection or source.new_protection()
    return Seal(chosen, _create(source.key(chosen), _CHECK))


class EmbeddedVault:
    """A vault in this process. Implements the port Vault."""

    name = NAME
    algorithms = frozenset(Algorithm)

    def __init__(self, key: bytes, seal_: Seal, workers: Workers) -> None:
        self._key = key
        self._seal = seal_
        self._workers = workers

    @classmethod
    def open(cls, source: KeySource, seal_: Seal, workers: Workers) -> "EmbeddedVault":
        """Open the vault of this seal. Raises WrongSecret, KeyFileExposed, KeyFileUnusable."""
        key = source.key(seal_.protection)
        unseal(key, _CHECK, seal_.check.handle)
        return cls(key, seal_, workers)

    async def create(self, identity: Identity) -> Made:
        """Make a key pair; the handle is the sealed private key."""
        return await self._workers.run(_create, self._key, identity)

    async def sign(self, identity: Identity, handle: bytes, digest: bytes) -> bytes:
        """Sign a SHA-256 digest (32 bytes). Raises WrongSecret where the handle is not of this identity or vault."""
        return await self._workers.run(_sign, self._key, identity, handle, digest)

    async def check(self) -> None:
        """Sign a random nonce and verify it. Raises WrongSecret or VaultUnavailable."""
        digest = hashlib.sha256(os.urandom(_NONCE_BYTES)).digest()
        signature = await self.sign(_CHECK, self._seal.check.handle, digest)
        if not verifies(_CHECK.algorithm, self._seal.check.public_key, signature, digest):
            raise VaultUnavailable("The embedded vault signs what its own public key does not verify.")


def _create(key: bytes, identity: Identity) -> Made:
    private_key = generate(identity.algorithm)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Made(public_der(private_key), seal(key, identity, plain))


def _sign(key: bytes, identity: Identity, handle: bytes, digest: bytes) -> bytes:
    return sign_digest(_load(unseal(key, identity, handle)), digest)


def _load(plain: bytes) -> PrivateKey:
    private_key = load_der_private_key(plain, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("a sealed private key is of a kind that the vault does not make")
    return private_key
