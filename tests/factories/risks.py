"""Image risks for tests: one that passes the default gate, changed as a test needs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from signer.risk import ImageRisk, RiskState

DIGEST = "sha256:" + "1" * 64
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def image_risk(**changes: Any) -> ImageRisk:
    """Return the risk of an image without findings, scanned now."""
    clean = ImageRisk(
        digest=DIGEST,
        state=RiskState.SCANNED,
        reasons=(),
        scan_id="scan-1",
        as_of=NOW,
        worst=None,
        counts={},
        fixable_counts={},
        unreadable=0,
        risk_digest="f" * 64,
    )
    return replace(clean, **changes)
