"""Facts and signings for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from signer.envelopes.facts import Facts
from signer.risk import GateEvidence, Severity

SIGNED_AT = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
IMAGE = "sha256:" + "ab" * 32


def facts(**changes: Any) -> Facts:
    """Return what is signed of an image with one LOW finding."""
    stated = Facts(
        reference="reg.example.com/pay/api:v1",
        digest=IMAGE,
        signing_id="0b1e4f5c-8a49-4f5e-9d36-0f4b6f1c2a3d",
        signer="spiffe://hallmark.test/reviewer/ann",
        signed_at=SIGNED_AT,
        gate=GateEvidence(
            scan_id="scan-1",
            as_of=datetime(2026, 3, 1, 6, tzinfo=UTC),
            worst=Severity.LOW,
            counts={Severity.LOW: 1},
        ),
        claims={"build": "42"},
    )
    return replace(stated, **changes)
