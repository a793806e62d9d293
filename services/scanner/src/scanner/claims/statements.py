"""Documents within attestations: in-toto statements in DSSE envelopes, bare or in Sigstore's bundles.

Signatures are not verified: a document is a claim anyway. Formats:
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md,
https://github.com/in-toto/attestation/tree/main/spec/v1,
https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from scanner.errors import InventoryMalformed

DOCUMENTS: Final = ("https://cyclonedx.org/bom", "https://spdx.dev/Document")
"""How the types of predicates begin that are documents about what is in an image."""


class _Envelope(msgspec.Struct, frozen=True):
    payload: str


class _Bundle(msgspec.Struct, frozen=True, rename="camel"):
    dsse_envelope: _Envelope | None = None


class _Subject(msgspec.Struct, frozen=True):
    digest: Mapping[str, str] = {}


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    predicate_type: str
    subject: tuple[_Subject, ...] = ()
    predicate: msgspec.Raw = msgspec.Raw(b"")


def document_of(attestation: bytes, digest: str) -> bytes | None:
    """The document in an attestation (an envelope, or a bundle of one) about that manifest; None where it attests
    something else.

    Raises InventoryMalformed, also where it is about another image.
    """
    try:
        bundled = msgspec.json.decode(attestation, type=_Bundle).dsse_envelope
        sealed = bundled or msgspec.json.decode(attestation, type=_Envelope)
        statement = msgspec.json.decode(base64.b64decode(sealed.payload, validate=True), type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error) as problem:
        raise InventoryMalformed(f"The attestation can't be read: {problem}.") from problem
    if not statement.predicate_type.startswith(DOCUMENTS):
        return None
    if digest not in {f"sha256:{one.digest.get('sha256')}" for one in statement.subject}:
        raise InventoryMalformed("The attestation is about another image.")
    return bytes(statement.predicate)
