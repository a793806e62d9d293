"""Between the verifier's own words and hallmark.verifier.v1. Bad input is refused here, naming the field."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from chassis.errors import InvalidArgument
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.verifier.v1 import reason_pb2, signature_report_pb2, verdict_pb2, verifier_service_pb2
from registry.references import InvalidReference, Reference, parse_image

from verifier.evidence.claims import SIGNED_AT, SIGNER, SIGNING_ID, Format, Signature
from verifier.evidence.keys import PublicKey
from verifier.evidence.strict import Json
from verifier.inspection import Inspected, Report
from verifier.reasons import Code, Effect, Outcome, Reason
from verifier.resolution import Resolved
from verifier.trust import KeyVersion
from verifier.verdicts import Form, NamedImage, Verdict

_FORMS: Final = {
    verdict_pb2.OBJECT_FORM_POD: Form.POD,
    verdict_pb2.OBJECT_FORM_TEMPLATE: Form.TEMPLATE,
}
_FORMATS: Final = {
    Format.SIMPLE_SIGNING: signature_report_pb2.SIGNATURE_FORMAT_SIMPLE_SIGNING,
    Format.BUNDLE: signature_report_pb2.SIGNATURE_FORMAT_BUNDLE,
}
_CODES: Final = {code: reason_pb2.ReasonCode.Value(f"REASON_CODE_{code.value}") for code in Code}
_OUTCOMES: Final = {outcome: verdict_pb2.Outcome.Value(f"OUTCOME_{outcome.value}") for outcome in Outcome}
_EFFECTS: Final = {effect: verdict_pb2.Effect.Value(f"EFFECT_{effect.value}") for effect in Effect}

_OWN_CLAIMS: Final = frozenset({SIGNING_ID, SIGNER, SIGNED_AT})
_CLAIMS: Final = 64
_CLAIM_BYTES: Final = 16 * 1024
_LONGEST_STATED: Final = 512
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class MalformedRequest(InvalidArgument):
    """A field of the request is missing, too long, or has a value that it may not have."""


def text(value: str, field: str, longest: int, *, required: bool = False) -> str:
    """A text of at most so many characters. Raises MalformedRequest."""
    if len(value) > longest:
        raise MalformedRequest(f"{field} has {len(value)} characters; at most {longest} may be.", field=field)
    if required and not value:
        raise MalformedRequest(f"{field} is missing.", field=field)
    return value


def decode_form(form: verdict_pb2.ObjectForm.ValueType) -> Form:
    """Pod or template. Raises MalformedRequest."""
    if form not in _FORMS:
        raise MalformedRequest("object_form says neither POD nor TEMPLATE.", field="object_form")
    return _FORMS[form]


def decode_images(images: Sequence[verifier_service_pb2.NamedImage]) -> list[NamedImage]:
    """The images of an object. Raises MalformedRequest."""
    return [
        NamedImage(image.image, text(image.found_at, f"images[{number}].found_at", 256))
        for number, image in enumerate(images)
    ]


def decode_image(image: str) -> Reference:
    """An image reference. Raises InvalidReference, naming the field."""
    try:
        return parse_image(image)
    except InvalidReference as refusal:
        raise InvalidReference(refusal.message, field="image") from refusal


def encode_verdict(verdict: Verdict) -> verdict_pb2.Verdict:
    """A verdict."""
    return verdict_pb2.Verdict(
        image=verdict.named.image,
        found_at=verdict.named.found_at,
        outcome=_OUTCOMES[verdict.outcome],
        effect=_EFFECTS[verdict.effect],
        digest=verdict.digest,
        rule=verdict.rule,
        policy_revision=verdict.revision,
        reasons=[encode_reason(reason) for reason in verdict.reasons],
        message=verdict.message,
    )


def encode_reason(reason: Reason) -> reason_pb2.Reason:
    """A reason."""
    return reason_pb2.Reason(code=_CODES[reason.code], message=reason.message, metadata=reason.metadata)


def encode_resolved(resolved: Resolved) -> verifier_service_pb2.ResolvedImage:
    """What to name instead of an image."""
    return verifier_service_pb2.ResolvedImage(
        image=resolved.image, pinned=resolved.pinned, left_because=resolved.left_because
    )


def encode_inspected(inspected: Inspected) -> verifier_service_pb2.InspectSignaturesResponse:
    """Every signature of an image."""
    return verifier_service_pb2.InspectSignaturesResponse(
        digest=inspected.digest, signatures=[_report(report) for report in inspected.reports]
    )


def _report(report: Report) -> signature_report_pb2.SignatureReport:
    encoded = signature_report_pb2.SignatureReport(
        format=_FORMATS[report.place.format],
        manifest_digest=report.place.manifest,
        layer=report.place.layer,
        reasons=[encode_reason(reason) for reason in report.reasons],
    )
    if report.signature:
        encoded.payload_sha256 = report.signature.payload_sha256
    if report.signature and report.key:
        encoded.MergeFrom(_statement(report.signature, report.key, report.version))
    elif report.signature:
        encoded.claimed_signing_id = _uuid(report.signature.claims.signing_id or "")
    return encoded


def _uuid(text: str) -> str:
    return text if _UUID.fullmatch(text) else ""


def _statement(
    signature: Signature, key: PublicKey, version: KeyVersion | None
) -> signature_report_pb2.SignatureReport:
    """What a signature states and under which key; only for one that verifies."""
    claims = signature.claims
    others = {name: value for name, value in claims.annotations.items() if name not in _OWN_CLAIMS}
    stated = signature_report_pb2.SignatureReport(
        fingerprint=key.fingerprint,
        key=version.key if version else "",
        key_version=version.version if version else 0,
        identity=claims.identity[:_LONGEST_STATED],
        signing_id=(claims.signing_id or "")[:_LONGEST_STATED],
        signer=claims.signer[:_LONGEST_STATED],
        claims=_claims(others),
    )
    if signature.signed_at:
        stated.sign_time.CopyFrom(_timestamp(signature.signed_at))
    return stated


def _claims(stated: Mapping[str, Json]) -> dict[str, str]:
    """The first claims, as many as are allowed: an answer about many signatures must stay one message."""
    told: dict[str, str] = {}
    size = 0
    for name, value in islice(stated.items(), _CLAIMS):
        text = _claim(value)
        size += len(name.encode()) + len(text.encode())
        if size > _CLAIM_BYTES:
            break
        told[name] = text
    return told


def _claim(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
