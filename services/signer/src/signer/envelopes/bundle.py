"""Sigstore bundle v0.3 around an in-toto statement: the form in which newer tools look for image signatures.

Statement: in-toto Statement v1 with cosign's predicate of signatures. Envelope: DSSE v1. Bundle: Sigstore's protobuf
specs in their JSON form, with a public key hint in place of a certificate. Storage: OCI image spec 1.1, a manifest
whose `subject` is the image; where the registry has no referrers API, an index at the fallback tag lists it.
"""

import base64
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from registry.digests import Digest, InvalidDigest, parse_digest
from registry.manifests import LARGEST, OCI_INDEX, OCI_MANIFEST

from signer.envelopes.blobs import Blob
from signer.envelopes.facts import Facts, annotations, compact, rfc3339
from signer.errors import SignaturesFull

BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY: Final = Blob("application/vnd.oci.empty.v1+json", b"{}")
_STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE: Final = "https://sigstore.dev/cosign/sign/v1"
_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


def statement(facts: Facts) -> bytes:
    """Return the statement, which is the payload of the envelope."""
    subject = {
        "name": facts.reference,
        "digest": {"sha256": facts.digest.removeprefix("sha256:")},
        "annotations": annotations(facts),
    }
    return compact({"_type": _STATEMENT_TYPE, "subject": [subject], "predicateType": _PREDICATE_TYPE, "predicate": {}})


def to_sign(payload: bytes) -> bytes:
    """Return the bytes to sign for a payload: DSSE's pre-authentication encoding."""
    kind = _PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def bundle(payload: bytes, signature: bytes, fingerprint: str) -> Blob:
    """Return the bundle of a signed statement; `fingerprint` is the key's, in hex, and becomes the hint."""
    hint = _base64(bytes.fromhex(fingerprint))
    envelope = {
        "payload": _base64(payload),
        "payloadType": _PAYLOAD_TYPE,
        "signatures": [{"sig": _base64(signature), "keyid": hint}],
    }
    material = {"publicKey": {"hint": hint}}
    return Blob(
        BUNDLE_TYPE,
        compact({"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}),
    )


def referrer(subject: dict[str, object], stored: Blob, signed_at: datetime) -> Blob:
    """Return the manifest that ties a bundle to the image described by `subject` (mediaType, size, digest)."""
    noted = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": _PREDICATE_TYPE,
        "org.opencontainers.image.created": rfc3339(signed_at),
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": EMPTY.descriptor(),
        "layers": [stored.descriptor()],
        "subject": subject,
        "annotations": noted,
    }
    return Blob(OCI_MANIFEST, compact(manifest), noted)


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the index of referrers, for registries without the referrers API."""
    return digest.replace(":", "-")


def with_referrer(stored: Blob | None, added: Blob, gone: Collection[Digest] = ()) -> Blob:
    """Return the index of the referrers stored (None: none yet), but those gone, and the added one.

    The others stay as they are. Raises SignaturesFull where what is stored is no index, or has no room.
    """
    index = _read(stored) if stored is not None else {}
    entry = {**added.descriptor(), "artifactType": BUNDLE_TYPE}
    kept = [one for one in index.get("manifests", []) if one.get("digest") not in gone]
    changed = {"schemaVersion": 2, "mediaType": OCI_INDEX, **index, "manifests": [*kept, entry]}
    content = compact(changed)
    if len(content) > LARGEST:
        raise SignaturesFull("The image has so many referrers that no more fit in its index.")
    return Blob(OCI_INDEX, content)


def listed(stored: Blob | None) -> Sequence[Digest]:
    """Return the digests of the referrers that the index stored lists. Raises SignaturesFull where it is none."""
    entries = _read(stored)["manifests"] if stored is not None else ()
    return list(_digests(entries))


def _digests(entries: Iterable[dict[str, Any]]) -> Iterator[Digest]:
    for entry in entries:
        with suppress(InvalidDigest):  # no manifest can have it
            yield parse_digest(str(entry.get("digest")))


def lists(stored: Blob | None, referrer_: Blob) -> bool:
    """Say whether the index stored lists this referrer."""
    return stored is not None and any(entry.get("digest") == referrer_.digest for entry in _read(stored)["manifests"])


def _read(stored: Blob) -> dict[str, Any]:
    try:
        index = json.loads(stored.content)
        kinds = {stored.media_type, index.get("mediaType", OCI_INDEX)}
        if kinds == {OCI_INDEX} and all(isinstance(entry, dict) for entry in index["manifests"]):
            return dict(index)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # refused below, like anything else that is no index
    raise SignaturesFull("What stands at the image's tag for referrers is no index of them; have it removed.")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
