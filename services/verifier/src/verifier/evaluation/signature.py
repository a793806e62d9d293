"""Whether one signature counts. Every check raises; success is to reach the end, and no boolean stands for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from verifier.evaluation.identity import check_identity
from verifier.evaluation.subject import TOLERANCE, Subject
from verifier.evidence.claims import Signature
from verifier.evidence.findings import Attributed
from verifier.evidence.keys import PublicKey
from verifier.reasons import Code, Rejection
from verifier.rules.policy import Identity, IdentityKind
from verifier.trust import KeyVersion, Purpose


@dataclass(frozen=True, slots=True)
class Demand:
    """What a signature must be: by one of these keys, of this identity, no older than `max_age` (None: any age)."""

    keys: frozenset[PublicKey]
    identity: Identity = IdentityKind.REPOSITORY
    max_age: timedelta | None = None


def check(found: Attributed, subject: Subject, demand: Demand) -> PublicKey:
    """The key for which the signature counts. Raises Rejection where it does not."""
    signature, key = found.signature, found.key
    if key is None:
        raise _by_a_stranger(signature, subject, demand)
    if signature.claims.digest != subject.digest:
        raise Rejection(Code.DIGEST_MISMATCH, f"A signature is of {signature.claims.digest!a:.100}, another digest.")
    check_identity(signature.claims.identity, subject.image, demand.identity)
    if key not in demand.keys:
        raise _by_another(key, subject)
    for version in subject.trust.holders(key.fingerprint):
        _check_version(signature, version, subject)
    _check_age(signature.signed_at, demand.max_age, subject.now)
    return key


def name_of(key: PublicKey, subject: Subject) -> str:
    """The signer's name of a key, else its fingerprint."""
    names = [str(version) for version in subject.trust.holders(key.fingerprint)]
    return " = ".join(names) or f"with fingerprint {key.fingerprint}"


def _check_version(signature: Signature, version: KeyVersion, subject: Subject) -> None:
    if version.purpose is not Purpose.IMAGE_SIGNATURE:
        raise Rejection(
            Code.WRONG_TYPE, f"A signature is by the {version.purpose.value} key {version}.", key=str(version)
        )
    if not version.enabled:
        raise Rejection(Code.KEY_DISABLED, f"A signature is by {version}, which is disabled.", key=str(version))
    subject.trust.check_signature(signature, version)
    stated = signature.signed_at
    if stated and version.valid_from and stated + TOLERANCE < version.valid_from:
        raise Rejection(
            Code.INVALID_SIGNATURE, f"A signature says it was made before its key {version} was.", key=str(version)
        )


def _check_age(signed_at: datetime | None, max_age: timedelta | None, now: datetime) -> None:
    if max_age is None:
        return
    if signed_at is None:
        raise Rejection(Code.SIGNATURE_TOO_OLD, "A signature does not say when it was made, but its age counts.")
    if signed_at > now + TOLERANCE:
        raise Rejection(Code.SIGNATURE_TOO_OLD, f"A signature says it was made in the future, {signed_at.isoformat()}.")
    if now - signed_at > max_age:
        raise Rejection(
            Code.SIGNATURE_TOO_OLD,
            f"A signature was made {signed_at.isoformat()}, longer ago than the {max_age} that the rule allows.",
            signed_at=signed_at.isoformat(),
        )


def _by_another(key: PublicKey, subject: Subject) -> Rejection:
    return Rejection(
        Code.UNTRUSTED_KEY,
        f"A signature is by the key {name_of(key, subject)}, which is not accepted here.",
        fingerprint=key.fingerprint,
    )


def _by_a_stranger(signature: Signature, subject: Subject, demand: Demand) -> Rejection:
    """A signature that verifies under no key known: broken where it names one of them or a signing, else foreign."""
    known = {key.fingerprint for key in demand.keys}
    if signature.hint and (signature.hint in known or subject.trust.holders(signature.hint)):
        return Rejection(Code.INVALID_SIGNATURE, f"A signature names the key {signature.hint} and does not verify.")
    signing_id = signature.claims.signing_id
    if signing_id:
        return Rejection(
            Code.INVALID_SIGNATURE,
            f"A signature names the signing {signing_id!a:.80} and does not verify.",
        )
    return Rejection(Code.UNTRUSTED_KEY, "A signature verifies under no key that is known here.")
