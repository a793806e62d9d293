"""AdmissionReview of admission.k8s.io/v1, of which only the fields used are read and written.

Source: the Kubernetes API reference, "Dynamic Admission Control".
"""

import re
from typing import Final

import msgspec

from admission.errors import NoReview

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_LONGEST_UID: Final = 256
_BEGINNING: Final = 4096
_UID: Final = re.compile(rb'"request"\s*:\s*\{\s*"uid"\s*:\s*"([A-Za-z0-9._-]{1,256})"')
_NULL: Final = msgspec.Raw(b"null")
_FORBIDDEN: Final = 403


class _Kind(msgspec.Struct, frozen=True):
    group: str = ""
    kind: str = ""


class _User(msgspec.Struct, frozen=True):
    username: str = ""


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be admitted. `object` and `old_object` are JSON, `null` where absent."""

    uid: str
    kind: _Kind
    operation: str
    namespace: str = ""
    sub_resource: str = ""
    user_info: _User = _User()
    object: msgspec.Raw = _NULL
    old_object: msgspec.Raw = _NULL
    dry_run: bool | None = None


class _Review(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    request: Request


class _Uid(msgspec.Struct, frozen=True):
    uid: str


class _Addressed(msgspec.Struct, frozen=True):
    request: _Uid


class _Status(msgspec.Struct, frozen=True):
    message: str
    code: int = _FORBIDDEN
    reason: str = "Forbidden"


class _Response(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    uid: str
    allowed: bool
    status: _Status | None = None
    warnings: tuple[str, ...] = ()
    patch: bytes | None = None  # base64 in JSON
    patch_type: str | None = None


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    response: _Response
    api_version: str = API_VERSION
    kind: str = KIND


class Operation(msgspec.Struct, frozen=True):
    """One operation of a JSON Patch (RFC 6902)."""

    path: str
    value: str
    op: str = "replace"


_decoder: Final = msgspec.json.Decoder(_Review)
_addressed: Final = msgspec.json.Decoder(_Addressed)
_encoder: Final = msgspec.json.Encoder()


def decode_review(body: bytes) -> Request:
    """The request of a review. Raises NoReview."""
    try:
        review = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoReview(f"The body is no {KIND} of {API_VERSION}: {str(error)[:200]}") from error
    if review.api_version != API_VERSION or review.kind != KIND:
        raise NoReview(
            f"The body is a {review.kind[:63]!a} of {review.api_version[:63]!a}; expected: {KIND} of {API_VERSION}."
        )
    if not 0 < len(review.request.uid) <= _LONGEST_UID:
        raise NoReview(f"The request's uid has 1 to {_LONGEST_UID} characters.")
    return review.request


def uid_of(body: bytes) -> str | None:
    """The uid under which a body that is no review can be answered: that of its request, which the API server writes at
    the beginning, so that the rest may be broken or missing; None where there is none.
    """
    try:
        uid = _addressed.decode(body).request.uid
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _UID.search(body[:_BEGINNING])
        uid = found[1].decode("ascii") if found else ""
    return uid if 0 < len(uid) <= _LONGEST_UID else None


def allow(uid: str, warnings: tuple[str, ...] = ()) -> bytes:
    """The answer that lets the object in."""
    return _encoder.encode(_Answer(_Response(uid, allowed=True, warnings=warnings)))


def deny(uid: str, message: str, warnings: tuple[str, ...] = ()) -> bytes:
    """The answer that keeps the object out."""
    return _encoder.encode(_Answer(_Response(uid, allowed=False, status=_Status(message), warnings=warnings)))


def patch(uid: str, operations: tuple[Operation, ...]) -> bytes:
    """The answer that lets the object in, changed where there are operations."""
    if not operations:
        return allow(uid)
    body = _encoder.encode(operations)
    return _encoder.encode(_Answer(_Response(uid, allowed=True, patch=body, patch_type="JSONPatch")))
