"""What is signed beside the digest: who, when, in which signing, by which risk, and the signer's own claims."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from signer.risk import GateEvidence, Severity


@dataclass(frozen=True, slots=True)
class Facts:
    """What one signing says of one digest. `reference` is `host/repository` or `host/repository:tag`."""

    reference: str
    digest: str
    signing_id: str
    signer: str
    signed_at: datetime
    gate: GateEvidence
    claims: Mapping[str, str]


def annotations(facts: Facts) -> dict[str, str]:
    """Return the names and string values that stand in every envelope, sorted by name."""
    stated = {
        **facts.claims,
        "hallmark.signing_id": facts.signing_id,
        "hallmark.signer": facts.signer,
        "hallmark.signed_at": rfc3339(facts.signed_at),
        "hallmark.gate": _gate(facts.gate),
    }
    return dict(sorted(stated.items()))


def rfc3339(time: datetime) -> str:
    """Return a UTC time as RFC 3339 with microseconds and `Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def compact(value: object) -> bytes:
    """Return JSON without spaces, in the order given, as UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _gate(gate: GateEvidence) -> str:
    stated = {
        "scan_id": gate.scan_id,
        "as_of": rfc3339(gate.as_of) if gate.as_of else None,
        "worst": gate.worst.value if gate.worst else None,
        "counts": {severity.value: gate.counts.get(severity, 0) for severity in Severity},
    }
    return compact(stated).decode()
