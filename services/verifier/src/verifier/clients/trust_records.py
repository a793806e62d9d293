"""WatchTrust in the verifier's words.

Nothing that restricts is read past: a key of an unknown state is disabled, of an unknown purpose no image key, of an
unknown algorithm unreadable, and a record or revocation of an unknown kind breaks the stream, which then grows stale.
"""

from hallmark.signer.v1 import key_pb2, revocation_pb2, trust_pb2

from verifier.clients.streams import UnknownRecord, time_of
from verifier.evidence.keys import Algorithm, PublicKey, UnusableKey, parse_public_key
from verifier.trust import (
    DigestsTarget,
    EarlierSignings,
    KeyVersion,
    KeyVersionTarget,
    NewSigning,
    Purpose,
    Revocation,
    SignatureTarget,
    TrustRecord,
)

_ALGORITHMS = {
    key_pb2.ALGORITHM_ECDSA_P256_SHA256: Algorithm.ECDSA_P256,
    key_pb2.ALGORITHM_RSA_2048_PKCS1V15_SHA256: Algorithm.RSA_2048,
    key_pb2.ALGORITHM_RSA_3072_PKCS1V15_SHA256: Algorithm.RSA_3072,
    key_pb2.ALGORITHM_RSA_4096_PKCS1V15_SHA256: Algorithm.RSA_4096,
}
_PURPOSES = {
    key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE: Purpose.IMAGE_SIGNATURE,
    key_pb2.KEY_PURPOSE_ATTESTATION: Purpose.ATTESTATION,
    key_pb2.KEY_PURPOSE_RAW: Purpose.RAW,
}


def decode_trust(record: trust_pb2.TrustRecord) -> TrustRecord:
    """One record of WatchTrust. Raises UnknownRecord."""
    match record.WhichOneof("record"):
        case "key_version":
            return _key_version(record.key_version)
        case "revocation":
            return _revocation(record.revocation)
        case "earlier_signings":
            earlier = record.earlier_signings
            pairs = frozenset((signing.signing_id, signing.payload_sha256) for signing in earlier.signings)
            return EarlierSignings(earlier.revocation_id, pairs)
        case "signing":
            return NewSigning(record.signing.repository, tuple(record.signing.digests))
    raise UnknownRecord("The signer sent a record of a kind that this verifier does not know.")


def _key_version(version: key_pb2.KeyVersion) -> KeyVersion:
    purpose = _PURPOSES.get(version.purpose, Purpose.RAW)
    public, unreadable = _public_key(version) if purpose is not Purpose.RAW else (None, "")
    return KeyVersion(
        key=version.key,
        version=version.version,
        purpose=purpose,
        enabled=version.state == key_pb2.KEY_STATE_ENABLED,
        fingerprint=version.fingerprint,
        public=public,
        unreadable=unreadable,
        valid_from=time_of(version, "valid_from"),
        revoked=version.HasField("revoked_from"),
    )


def _public_key(version: key_pb2.KeyVersion) -> tuple[PublicKey | None, str]:
    """The key, or why it cannot be read."""
    try:
        public = parse_public_key(version.public_key_pem)
    except UnusableKey as error:
        return None, f"its public key is {error}"
    if public.fingerprint != version.fingerprint:
        return None, "its public key is not that of its fingerprint"
    if _ALGORITHMS.get(version.algorithm) is not public.algorithm:
        return None, "its algorithm is not known here, or not that of its public key"
    return public, ""


def _revocation(revocation: revocation_pb2.Revocation) -> Revocation:
    return Revocation(
        revocation.revocation_id, _target(revocation.target), revocation.reason, frozenset(revocation.digests)
    )


def _target(target: revocation_pb2.RevocationTarget) -> SignatureTarget | KeyVersionTarget | DigestsTarget:
    match target.WhichOneof("target"):
        case "signing_id":
            return DigestsTarget(target.signing_id)
        case "signature":
            return SignatureTarget(target.signature.digest, target.signature.key, target.signature.version)
        case "digest":
            return DigestsTarget(None)
        case "key_version":
            return KeyVersionTarget(target.key_version.key, target.key_version.version)
    raise UnknownRecord("The signer sent a revocation of a kind that this verifier does not know.")
