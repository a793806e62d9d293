"""The `.sig` form: an OCI manifest at the tag `sha256-<hex>.sig` with one layer for each signature.

Source: cosign's signature specification and the simple signing format of containers/image, read strictly: the payload
is verified as stored, and only the members that the formats define may stand in it.
"""

import hashlib

from verifier.evidence.claims import Claims, Format, Place, Signature, signed_at
from verifier.evidence.strict import Json, decode_base64, decode_json, malformed, members, string
from verifier.reasons import Code, Rejection

LAYER_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
ANNOTATION = "dev.cosignproject.cosign/signature"
TYPE = "cosign container image signature"


def signature_tag(digest: str) -> str:
    """The tag that holds the signatures of a digest."""
    return f"{digest.replace(':', '-')}.sig"


def parse(place: Place, payload: bytes, signature: str | None) -> Signature:
    """The signature of one layer: its payload blob and the base64 of its annotation.

    Raises Rejection: INVALID_SIGNATURE for what does not parse, WRONG_TYPE for a payload of another type.
    """
    raw = decode_base64(signature, f"the annotation {ANNOTATION}")
    claims = parse_payload(payload)
    return Signature(
        place=place,
        signed=payload,
        signature=raw,
        claims=claims,
        signed_at=signed_at(claims.annotations),
        payload_sha256=hashlib.sha256(payload).digest(),
        hint=None,
    )


def parse_payload(payload: bytes) -> Claims:
    """What a simple signing payload says."""
    top = members(decode_json(payload, "the payload"), "the payload", frozenset({"critical", "optional"}))
    critical = members(top["critical"], "critical", frozenset({"identity", "image", "type"}))
    if critical["type"] != TYPE:
        raise Rejection(Code.WRONG_TYPE, f"A signed payload is of type {critical['type']!a:.100}, not {TYPE!r}.")
    identity = members(critical["identity"], "critical.identity", frozenset({"docker-reference"}))
    image = members(critical["image"], "critical.image", frozenset({"docker-manifest-digest"}))
    return Claims(
        digest=string(image["docker-manifest-digest"], "docker-manifest-digest"),
        identity=string(identity["docker-reference"], "docker-reference"),
        annotations=_optional(top["optional"]),
    )


def place_of(manifest: str, layer: int) -> Place:
    """The place of the n-th layer of a `.sig` manifest."""
    return Place(Format.SIMPLE_SIGNING, manifest, layer)


def _optional(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed("optional is neither null nor an object")
    timestamp = value.get("timestamp", 0)
    if not isinstance(timestamp, int) or isinstance(timestamp, bool) or not isinstance(value.get("creator", ""), str):
        raise malformed("optional.timestamp is no integer or optional.creator no string")
    return value
