"""The bundle form: a referrer of the image that is a Sigstore bundle v0.3 around an in-toto statement.

Source: Sigstore's bundle format, the DSSE protocol (v1) and in-toto's Statement v1 (v0.1 too, which is the same in what
is read here), read strictly. Log entries and timestamps are no evidence here:
only a signature under a key of ours or of the policy counts.
"""

import hashlib
import re

from verifier.evidence.claims import Claims, Format, Place, Signature, signed_at
from verifier.evidence.strict import Json, decode_base64, decode_json, malformed, members, string
from verifier.reasons import Code, Rejection

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_ANNOTATION = "dev.sigstore.bundle.predicateType"
PREDICATE_TYPE = "https://sigstore.dev/cosign/sign/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})

_TOP = frozenset({"mediaType", "verificationMaterial"})
_CONTENTS = frozenset({"messageSignature", "dsseEnvelope"})
_MATERIAL = frozenset({"publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData"})
_DESCRIPTOR = frozenset({"name", "uri", "content", "downloadLocation", "mediaType", "annotations"})
_HEX64 = re.compile(r"[0-9a-f]{64}")


def parse(place: Place, data: bytes) -> Signature:
    """The one signature of a bundle.

    Raises Rejection: INVALID_SIGNATURE for what does not parse, WRONG_TYPE for a bundle around anything but the
    statement of an image signature.
    """
    bundle = members(decode_json(data, "the bundle"), "the bundle", _TOP, _CONTENTS)
    if bundle["mediaType"] != MEDIA_TYPE:
        raise malformed("mediaType is none of a bundle v0.3")
    if "dsseEnvelope" not in bundle or "messageSignature" in bundle:
        raise Rejection(Code.WRONG_TYPE, "A bundle holds no DSSE envelope, so that it is no image signature.")
    hint = _hint(members(bundle["verificationMaterial"], "verificationMaterial", frozenset(), _MATERIAL))
    payload, signature, keyid = _envelope(bundle["dsseEnvelope"])
    if keyid and hint and keyid != hint:
        raise malformed("the envelope's keyid is not the bundle's hint")
    claims = parse_statement(payload)
    return Signature(
        place=place,
        signed=pae(PAYLOAD_TYPE, payload),
        signature=signature,
        claims=claims,
        signed_at=signed_at(claims.annotations),
        payload_sha256=hashlib.sha256(payload).digest(),
        hint=_fingerprint(hint),
    )


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that a DSSE signature covers: the pre-authentication encoding of type and payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def parse_statement(payload: bytes) -> Claims:
    """What an in-toto statement about one image says."""
    required = frozenset({"_type", "subject", "predicateType", "predicate"})
    statement = members(decode_json(payload, "the statement"), "the statement", required)
    if string(statement["_type"], "_type") not in STATEMENT_TYPES:
        raise Rejection(Code.WRONG_TYPE, f"A signed statement is of type {statement['_type']!a:.100}, not in-toto's.")
    if statement["predicateType"] != PREDICATE_TYPE:
        kind = f"{statement['predicateType']!a:.100}"
        raise Rejection(Code.WRONG_TYPE, f"A signed statement says {kind} of the image; that is no image signature.")
    if statement["predicate"] != {}:
        raise malformed("the predicate is not empty")
    subjects = statement["subject"]
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise malformed("the statement does not have exactly one subject")
    return _subject(subjects[0])


def place_of(manifest: str) -> Place:
    """The place of the bundle in a referrer's manifest, which has one layer."""
    return Place(Format.BUNDLE, manifest, 0)


def _subject(value: Json) -> Claims:
    subject = members(value, "subject[0]", frozenset({"digest"}), _DESCRIPTOR)
    digest = string(members(subject["digest"], "subject[0].digest", frozenset({"sha256"}))["sha256"], "sha256")
    if not _HEX64.fullmatch(digest):
        raise malformed("the subject's sha256 is not 64 lower-case hex digits")
    annotations = subject.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise malformed("the subject's annotations are no object")
    return Claims(f"sha256:{digest}", string(subject.get("name", ""), "the subject's name"), annotations)


def _fingerprint(hint: str) -> str | None:
    """The key's fingerprint in hex; a hint that is none is free text (as the format allows) and names no key."""
    try:
        digest = decode_base64(hint, "the hint")
    except Rejection:
        return None
    return digest.hex() if len(digest) == hashlib.sha256().digest_size else None


def _hint(material: dict[str, Json]) -> str:
    if "publicKey" not in material:
        return ""
    key = members(material["publicKey"], "publicKey", frozenset(), frozenset({"hint"}))
    return string(key.get("hint", ""), "hint")


def _envelope(value: Json) -> tuple[bytes, bytes, str]:
    envelope = members(value, "dsseEnvelope", frozenset({"payload", "payloadType", "signatures"}))
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise Rejection(Code.WRONG_TYPE, f"A signed envelope holds {envelope['payloadType']!a:.100}, not in-toto.")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise malformed("the envelope does not have exactly one signature")
    entry = members(signatures[0], "signatures[0]", frozenset({"sig"}), frozenset({"keyid"}))
    return (
        decode_base64(envelope["payload"], "the envelope's payload"),
        decode_base64(entry["sig"], "the envelope's signature"),
        string(entry.get("keyid", ""), "keyid"),
    )
