"""What is signed for each manifest of an image: one payload for each format."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from signer.envelopes import bundle, simple
from signer.envelopes.blobs import Blob
from signer.envelopes.facts import Facts
from signer.images import Image
from signer.keys.model import KeyVersion
from signer.keys.vault import Vault, sign
from signer.risk import GateEvidence
from signer.signings import Format, SignedPayload, Signing


@dataclass(frozen=True, slots=True)
class Payloads:
    """The payloads of one manifest, not yet signed."""

    simple: bytes
    statement: bytes

    def recorded(self) -> tuple[SignedPayload, ...]:
        """Return what the record keeps of them."""
        return (
            SignedPayload(Format.SIMPLE_SIGNING, hashlib.sha256(self.simple).digest()),
            SignedPayload(Format.BUNDLE, hashlib.sha256(self.statement).digest()),
        )


@dataclass(frozen=True, slots=True)
class Envelopes:
    """The signatures on one manifest, as they are stored."""

    layer: Blob
    bundle: Blob


async def enclose(vault: Vault, version: KeyVersion, to_sign: Payloads) -> Envelopes:
    """Sign the payloads of one manifest. Raises VaultFaulty, WrongSecret."""
    layer = simple.layer(to_sign.simple, await sign(vault, version, to_sign.simple))
    signature = await sign(vault, version, bundle.to_sign(to_sign.statement))
    return Envelopes(layer, bundle.bundle(to_sign.statement, signature, version.fingerprint))


def payloads(signing: Signing, image: Image, passed: Sequence[GateEvidence]) -> tuple[Payloads, ...]:
    """Return the payloads of each part of an image, in their order."""
    reference = f"{signing.repository}:{signing.tag}" if signing.tag else signing.repository
    stated = [
        Facts(
            reference=reference,
            digest=part.digest,
            signing_id=signing.signing_id,
            signer=signing.signer,
            signed_at=signing.signed_at,
            gate=gate,
            claims=signing.claims,
        )
        for part, gate in zip(image.parts, passed, strict=True)
    ]
    return tuple(Payloads(simple.payload(facts), bundle.statement(facts)) for facts in stated)
