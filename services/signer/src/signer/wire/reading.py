"""Decodes requests. Bad input is refused by the name of its field."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, Literal, TypeVar
from uuid import UUID

from chassis.errors import InvalidArgument, Refusal, Violation
from chassis.paging import InvalidPageToken, Page
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from hallmark.common.v1 import severity_pb2
from hallmark.signer.v1 import gate_pb2, key_pb2, key_service_pb2, revocation_pb2, signing_service_pb2
from registry.digests import Digest, parse_digest
from registry.references import parse_reference

from signer.errors import ClaimReserved
from signer.gate import MAX_AGE_LIMIT, GateChange
from signer.keyring import KeyUpdate, NewKey
from signer.keys.algorithms import Algorithm
from signer.keys.model import Purpose
from signer.keys.names import demand_labels, demand_name
from signer.revocations import DigestTarget, KeyVersionTarget, SignatureTarget, SigningTarget, Target
from signer.risk import RANKED, Severity
from signer.signing import SignRequest
from signer.signings import Filter

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

_MAX_CLAIMS: Final = 32
_MAX_CLAIM_NAME: Final = 128
_MAX_CLAIM_VALUE: Final = 1024
_MAX_REASON: Final = 1024
_MAX_REVIEWED: Final = 128
_RESERVED_CLAIMS: Final = frozenset({"creator", "timestamp"})  # containers/image gives these a meaning and a type
_GATE_FIELDS: Final = ("max_severity", "max_age", "ignore_unfixed", "unknown_as", "allow_unreadable")


def new_key(request: key_service_pb2.CreateKeyRequest) -> NewKey:
    """Decode a CreateKeyRequest."""
    _demand_known(request, "")
    return NewKey(
        name=demand_name(request.name, "name"),
        purpose=_enum(key_pb2.KeyPurpose.DESCRIPTOR, "KEY_PURPOSE_", Purpose, request.purpose, "purpose"),
        algorithm=algorithm(request.algorithm) if request.HasField("algorithm") else None,
        gate=gate(request.gate, "gate") if request.HasField("gate") else None,
        labels=demand_labels(request.labels, "labels"),
    )


def key_update(request: key_service_pb2.UpdateKeyRequest) -> KeyUpdate:
    """Decode an UpdateKeyRequest: only what its mask names is read."""
    paths = set(request.update_mask.paths)
    limits = {path.removeprefix("gate.") for path in paths if path.startswith("gate.")}
    if not paths or paths - {"gate", "labels"} - {f"gate.{name}" for name in _GATE_FIELDS}:
        raise InvalidArgument(
            f"The mask must name `gate`, `gate.<field>` ({', '.join(_GATE_FIELDS)}) or `labels`, and nothing else.",
            field="update_mask",
        )
    given = gate(request.key.gate, "key.gate")
    return KeyUpdate(
        name=demand_name(request.key.name, "key.name"),
        gate=given if "gate" in paths else _only(given, limits) if limits else None,
        reset_gate="gate" in paths,
        labels=demand_labels(request.key.labels, "key.labels") if "labels" in paths else None,
    )


def gate(message: gate_pb2.Gate, field: str) -> GateChange:
    """Decode the limits that are set."""
    _demand_known(message, f"{field}.")
    return GateChange(
        max_severity=_limit(message, "max_severity", field),
        max_age=_max_age(message, f"{field}.max_age"),
        ignore_unfixed=message.ignore_unfixed if message.HasField("ignore_unfixed") else None,
        unknown_as=_limit(message, "unknown_as", field),
        allow_unreadable=message.allow_unreadable if message.HasField("allow_unreadable") else None,
    )


def algorithm(value: int) -> Algorithm:
    """Decode the algorithm of a key version."""
    return _enum(key_pb2.Algorithm.DESCRIPTOR, "ALGORITHM_", Algorithm, value, "algorithm")


def sign_request(request: signing_service_pb2.SignImageRequest) -> SignRequest:
    """Decode a SignImageRequest."""
    _demand_known(request, "")
    _demand_length(request.reviewed, "reviewed", 0, _MAX_REVIEWED)
    return SignRequest(
        image=_at("image", parse_reference, request.image),
        key=demand_name(request.key, "key"),
        claims=_claims(request.claims),
        gate=gate(request.gate, "gate"),
        reviewed=request.reviewed,
    )


def target(message: revocation_pb2.RevocationTarget, now: datetime) -> Target:
    """Decode what to revoke; a key version without a time is revoked from `now` on."""
    match message.WhichOneof("target"):
        case "signing_id":
            return SigningTarget(identifier(message.signing_id, "target.signing_id"))
        case "digest":
            return DigestTarget(digest(message.digest, "target.digest"))
        case "signature":
            named = message.signature
            key = demand_name(named.key, "target.signature.key")
            return SignatureTarget(digest(named.digest, "target.signature.digest"), key, named.version)
        case "key_version":
            return _key_version(message.key_version, now)
        case None:
            raise InvalidArgument("Say what to revoke.", field="target")


def reason(text: str) -> str:
    """Decode why something is revoked."""
    return _demand_length(text.strip(), "reason", 1, _MAX_REASON)


def listing(request: signing_service_pb2.ListSignaturesRequest) -> Filter:
    """Decode the filters of ListSignaturesRequest."""
    return Filter(
        repository=_at("repository", parse_reference, request.repository).name if request.repository else "",
        digest=digest(request.digest, "digest") if request.digest else None,
        key=demand_name(request.key, "key") if request.key else "",
    )


def identifier(text: str, field: str) -> str:
    """Decode the id of a signing: a UUID in lower case."""
    try:
        return str(UUID(text))
    except ValueError as problem:
        raise InvalidArgument("This is no id: a UUID is expected.", field=field) from problem


def digest(text: str, field: str) -> Digest:
    """Decode a digest."""
    return _at(field, parse_digest, text)


def cursor(page: Page, above: int) -> int:
    """Decode the number below which a page begins, `above` for the first. Raises InvalidPageToken."""
    if not page.cursor:
        return above
    try:
        reached = int(page.cursor)
    except ValueError:
        reached = -1
    if not 0 < reached <= above:
        raise InvalidPageToken("This page token is none of ours.", field="page_token")
    return reached


def _demand_known(message: Message, path: str) -> None:
    """A field that is not known may be a limit: to ignore it would be to sign what the caller did not want signed."""
    unknown = UnknownFieldSet(message)
    if len(unknown):
        raise InvalidArgument(
            f"The request says what this signer does not know: field number {unknown[0].field_number} of"
            f" {message.DESCRIPTOR.name}.",
            field=f"{path}{unknown[0].field_number}",
        )


def _at(field: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except Refusal as refusal:
        refusal.violations = (Violation(field, refusal.message),)
        raise


def _claims(claims: Mapping[str, str]) -> dict[str, str]:
    if len(claims) > _MAX_CLAIMS:
        raise InvalidArgument(f"A signature has at most {_MAX_CLAIMS} claims.", field="claims")
    for name, value in claims.items():
        _demand_length(name, "claims", 1, _MAX_CLAIM_NAME)
        _demand_length(value, "claims", 0, _MAX_CLAIM_VALUE)
        if name.lower().startswith("hallmark.") or name.lower() in _RESERVED_CLAIMS:
            raise ClaimReserved(f"The name {name} is reserved: choose another one for this claim.", field="claims")
    return dict(claims)


def _key_version(message: revocation_pb2.KeyVersionTarget, now: datetime) -> KeyVersionTarget:
    key = demand_name(message.key, "target.key_version.key")
    if not message.HasField("from_time"):
        return KeyVersionTarget(key, message.version, now)
    try:
        return KeyVersionTarget(key, message.version, message.from_time.ToDatetime(tzinfo=UTC))
    except (ValueError, OverflowError) as problem:
        raise InvalidArgument("This is no time that can be stated.", field="target.key_version.from_time") from problem


def _limit(message: gate_pb2.Gate, name: Literal["max_severity", "unknown_as"], field: str) -> Severity | None:
    if not message.HasField(name):
        return None
    value = message.max_severity if name == "max_severity" else message.unknown_as
    severity = _enum(severity_pb2.Severity.DESCRIPTOR, "SEVERITY_", Severity, value, f"{field}.{name}")
    if severity not in RANKED:
        raise InvalidArgument("A limit is one of CRITICAL to NEGLIGIBLE; UNKNOWN has no rank.", field=f"{field}.{name}")
    return severity


def _max_age(message: gate_pb2.Gate, field: str) -> timedelta | None:
    if not message.HasField("max_age"):
        return None
    limit = int(MAX_AGE_LIMIT.total_seconds())
    seconds = message.max_age.seconds + message.max_age.nanos / 1e9
    if not 0 < seconds <= limit:
        raise InvalidArgument("The age must be more than zero and at most 365 days.", field=field)
    return timedelta(seconds=seconds)


def _only(given: GateChange, names: set[str]) -> GateChange:
    for name in sorted(names):
        if getattr(given, name) is None:
            raise InvalidArgument("The mask names this field, but it has no value.", field=f"key.gate.{name}")
    return GateChange(**{name: getattr(given, name) for name in names})


def _enum(kind: EnumDescriptor, prefix: str, ours: type[E], value: int, field: str) -> E:
    known = kind.values_by_number.get(value)
    try:
        return ours[known.name.removeprefix(prefix)] if known else ours[""]
    except KeyError as problem:
        allowed = ", ".join(one.name for one in ours)
        raise InvalidArgument(f"This must be one of {allowed}.", field=field) from problem


def _demand_length(text: str, field: str, least: int, most: int) -> str:
    if not least <= len(text) <= most:
        raise InvalidArgument(f"This must have {least} to {most} characters.", field=field)
    return text
