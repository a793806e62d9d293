"""Encodes answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1 import severity_pb2
from hallmark.signer.v1 import gate_pb2, key_pb2, revocation_pb2, signature_pb2, trust_pb2

from signer.gate import Gate
from signer.keys.algorithms import Algorithm, public_pem
from signer.keys.model import Key, KeyState, KeyVersion, Purpose
from signer.revocations import DigestTarget, KeyVersionTarget, Revocation, SignatureTarget, SigningTarget, Target
from signer.risk import GateEvidence, Severity
from signer.signings import SignedDigest, SignedPayload, Signing
from signer.trust import EarlierSignings, SigningNotice, TrustRecord


def key(found: Key) -> key_pb2.Key:
    """Encode a key."""
    return key_pb2.Key(
        name=found.name,
        vault=found.vault,
        purpose=_purpose(found.purpose),
        state=_state(found.state),
        current_version=found.current_version,
        algorithm=_algorithm(found.algorithm),
        gate=_gate(found.gate) if found.gate else None,
        labels=found.labels,
        create_time=_time(found.created_at),
    )


def key_version(version: KeyVersion) -> key_pb2.KeyVersion:
    """Encode a key version with its public key."""
    return key_pb2.KeyVersion(
        key=version.key,
        version=version.version,
        purpose=_purpose(version.purpose),
        algorithm=_algorithm(version.algorithm),
        public_key_pem=public_pem(version.public_key),
        fingerprint=version.fingerprint,
        state=_state(version.state),
        valid_from=_time(version.created_at),
        revoked_from=_time(version.revoked_from) if version.revoked_from else None,
    )


def signing(record: Signing) -> signature_pb2.Signing:
    """Encode the record of a signing."""
    return signature_pb2.Signing(
        signing_id=record.signing_id,
        repository=record.repository,
        tag=record.tag,
        digest=record.digests[0].digest,
        key=record.key,
        key_version=record.key_version,
        fingerprint=record.fingerprint,
        signer=record.signer,
        sign_time=_time(record.signed_at),
        claims=record.claims,
        state=signature_pb2.SigningState.Value(f"SIGNING_STATE_{record.state.name}"),
        signed_digests=[_signed_digest(signed) for signed in record.digests],
        failure=record.failure,
    )


def revocation(made: Revocation) -> revocation_pb2.Revocation:
    """Encode a revocation."""
    return revocation_pb2.Revocation(
        revocation_id=made.revocation_id,
        target=_target(made.target),
        reason=made.reason,
        revoked_by=made.revoked_by,
        create_time=_time(made.created_at),
        digests=made.digests,
    )


def trust_record(record: TrustRecord) -> trust_pb2.TrustRecord:
    """Encode a record of WatchTrust; a RAW key is known by its fingerprint alone."""
    match record:
        case KeyVersion():
            encoded = key_version(record)
            if record.purpose is Purpose.RAW:
                encoded.public_key_pem = ""
            return trust_pb2.TrustRecord(key_version=encoded)
        case Revocation():
            return trust_pb2.TrustRecord(revocation=revocation(record))
        case EarlierSignings():
            return trust_pb2.TrustRecord(earlier_signings=_earlier(record))
        case SigningNotice():
            notice = trust_pb2.SigningNotice(
                signing_id=record.signing_id, repository=record.repository, digests=record.digests
            )
            return trust_pb2.TrustRecord(signing=notice)
        case _:
            assert_never(record)


def _earlier(record: EarlierSignings) -> trust_pb2.EarlierSignings:
    signings = [
        trust_pb2.EarlierSigning(signing_id=one.signing_id, payload_sha256=one.payload_sha256)
        for one in record.signings
    ]
    return trust_pb2.EarlierSignings(revocation_id=record.revocation_id, signings=signings)


def _target(target: Target) -> revocation_pb2.RevocationTarget:
    match target:
        case SigningTarget(signing_id):
            return revocation_pb2.RevocationTarget(signing_id=signing_id)
        case DigestTarget(digest):
            return revocation_pb2.RevocationTarget(digest=digest)
        case SignatureTarget(digest, key_, version):
            signature = revocation_pb2.SignatureTarget(digest=digest, key=key_, version=version)
            return revocation_pb2.RevocationTarget(signature=signature)
        case KeyVersionTarget(key_, version, start):
            named = revocation_pb2.KeyVersionTarget(key=key_, version=version, from_time=_time(start))
            return revocation_pb2.RevocationTarget(key_version=named)
        case _:
            assert_never(target)


def _signed_digest(signed: SignedDigest) -> signature_pb2.SignedDigest:
    return signature_pb2.SignedDigest(
        digest=signed.digest,
        gate=_evidence(signed.gate),
        payloads=[_payload(payload) for payload in signed.payloads],
    )


def _payload(payload: SignedPayload) -> signature_pb2.SignedPayload:
    form = signature_pb2.SignatureFormat.Value(f"SIGNATURE_FORMAT_{payload.form.name}")
    return signature_pb2.SignedPayload(format=form, payload_sha256=payload.sha256)


def _evidence(gate: GateEvidence) -> signature_pb2.GateEvidence:
    return signature_pb2.GateEvidence(
        scan_id=gate.scan_id,
        as_of=_time(gate.as_of) if gate.as_of else None,
        worst=_severity(gate.worst) if gate.worst else severity_pb2.SEVERITY_UNSPECIFIED,
        counts=_counts(gate.counts),
    )


def _gate(gate: Gate) -> gate_pb2.Gate:
    age = Duration()
    age.FromTimedelta(gate.max_age)
    return gate_pb2.Gate(
        max_severity=_severity(gate.max_severity),
        max_age=age,
        ignore_unfixed=gate.ignore_unfixed,
        unknown_as=_severity(gate.unknown_as),
        allow_unreadable=gate.allow_unreadable,
    )


def _counts(counts: Mapping[Severity, int]) -> severity_pb2.SeverityCounts:
    return severity_pb2.SeverityCounts(
        critical=counts.get(Severity.CRITICAL, 0),
        high=counts.get(Severity.HIGH, 0),
        medium=counts.get(Severity.MEDIUM, 0),
        low=counts.get(Severity.LOW, 0),
        negligible=counts.get(Severity.NEGLIGIBLE, 0),
        unknown=counts.get(Severity.UNKNOWN, 0),
    )


def _severity(severity: Severity) -> severity_pb2.Severity.ValueType:
    return severity_pb2.Severity.Value(f"SEVERITY_{severity.name}")


def _purpose(purpose: Purpose) -> key_pb2.KeyPurpose.ValueType:
    return key_pb2.KeyPurpose.Value(f"KEY_PURPOSE_{purpose.name}")


def _state(state: KeyState) -> key_pb2.KeyState.ValueType:
    return key_pb2.KeyState.Value(f"KEY_STATE_{state.name}")


def _algorithm(algorithm: Algorithm) -> key_pb2.Algorithm.ValueType:
    return key_pb2.Algorithm.Value(f"ALGORITHM_{algorithm.name}")


def _time(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
