"""Documents within attestations: in-toto statements in DSSE envelopes, as cosign stores them.

Formats: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md and
https://github.com/in-toto/attestation/tree/main/spec/v1. Signatures are not verified: a document is a claim anyway.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from scanner.errors import InventoryMalformed

_DOCUMENTS: Final = ("https://cyclonedx.org/bom", "https://spdx.dev/Document")
"""How the types of predicates begin that are documents about what is in an image."""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str


class _Subject(msgspec.Struct, frozen=True):
    digest: Mapping[str, str] = {}


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    predicate_type: str
    subject: tuple[_Subject, ...] = ()
    predicate: msgspec.Raw = msgspec.Raw(b"")


def document_of(envelope: bytes, digest: str) -> bytes | None:
    """The document in an attestation about that manifest; None where it attests something else.

    Raises InventoryMalformed, also where it is about another image.
    """
    try:
        sealed = msgspec.json.decode(envelope, type=_Envelope)
        statement = msgspec.json.decode(base64.b64decode(sealed.payload, validate=True), type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error) as problem:
        raise InventoryMalformed(f"The attestation can't be read: {problem}.") from problem
    if not statement.predicate_type.startswith(_DOCUMENTS):
        return None
    if digest not in {f"sha256:{one.digest.get('sha256')}" for one in statement.subject}:
        raise InventoryMalformed("The attestation is about another image.")
    return bytes(statement.predicate)
