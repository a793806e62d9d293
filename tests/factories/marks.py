"""Signatures of images as cosign stores them, made with plain cryptography: good, or wrong in one respect."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from registry.digests import Digest

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

DIGEST = Digest("sha256:" + "ab" * 32)
REPOSITORY = "reg.example.com/pay/web"


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(key: PrivateKey) -> str:
    """Its public key as SubjectPublicKeyInfo in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def fingerprint_of(key: PrivateKey) -> str:
    """SHA-256 of its SubjectPublicKeyInfo in DER, in hex."""
    return hashlib.sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign(key: PrivateKey, data: bytes, hash_algorithm: HashAlgorithm | None = None) -> bytes:
    """A signature with SHA-256 (unless told otherwise), PKCS #1 v1.5 for RSA."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hash_algorithm or SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hash_algorithm or SHA256())
    return key.sign(data)


def payload(
    digest: str = DIGEST,
    identity: str = REPOSITORY,
    optional: Mapping[str, Any] | None = None,
    kind: str = "cosign container image signature",
) -> bytes:
    """A simple signing payload in compact JSON."""
    critical = {"identity": {"docker-reference": identity}, "image": {"docker-manifest-digest": digest}, "type": kind}
    return json.dumps({"critical": critical, "optional": optional}, separators=(",", ":")).encode()


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def statement(
    digest: str = DIGEST,
    identity: str = REPOSITORY,
    annotations: Mapping[str, Any] | None = None,
    predicate_type: str = "https://sigstore.dev/cosign/sign/v1",
    **members: Any,
) -> bytes:
    """The in-toto statement of an image signature; further members replace its own."""
    subject = {"name": identity, "digest": {"sha256": digest.removeprefix("sha256:")}, "annotations": annotations or {}}
    top = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": predicate_type,
        "predicate": {},
    }
    return json.dumps(top | members).encode()


def bundle(key: PrivateKey, content: bytes, *, hint: str | None = None, **envelope: Any) -> bytes:
    """A Sigstore bundle v0.3 around a DSSE envelope; further members replace the envelope's own."""
    kind = b"application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(content), content)
    named = b64(bytes.fromhex(fingerprint_of(key))) if hint is None else hint
    inner = {
        "payload": b64(content),
        "payloadType": kind.decode(),
        "signatures": [{"sig": b64(sign(key, signed)), "keyid": named}],
    }
    top = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": named}, "tlogEntries": []},
        "dsseEnvelope": inner | envelope,
    }
    return json.dumps(top).encode()
