"""Which risk passes a scan condition, and the reason for each that does not."""

from datetime import timedelta
from typing import Any

import pytest
from verifier.evaluation.scan import unmet_scan
from verifier.reasons import Code
from verifier.risk import Counts, FeedSet, ImageRisk, Risks, RiskState, Severity

from tests.factories import marks
from tests.factories import verifier_policies as policies
from tests.factories.trusts import NOW


def counts(unknown: int = 0, **rated: int) -> Counts:
    return Counts({Severity[name.upper()]: count for name, count in rated.items()}, unknown)


def risk(**changes: Any) -> ImageRisk:
    members: dict[str, Any] = {
        "repository": marks.REPOSITORY,
        "digest": marks.DIGEST,
        "state": RiskState.SCANNED,
        "reasons": (),
        "unreadable": 0,
        "counts": counts(),
        "fixable": counts(),
        "feed_set": "Debian:12",
        "as_of": NOW,
    }
    return ImageRisk(**members | changes)


def codes(condition: Any, image: ImageRisk | None) -> list[Code]:
    return [reason.code for reason in unmet_scan(condition, image, NOW)]


def test_a_scanned_image_without_findings_passes() -> None:
    assert codes(policies.scan(), risk()) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RiskState.NOT_SCANNED, Code.NOT_SCANNED),
        (RiskState.SCANNING, Code.NOT_SCANNED),
        (RiskState.FAILED, Code.SCAN_FAILED),
        (RiskState.UNSUPPORTED, Code.SCAN_UNSUPPORTED),
        (RiskState.INCOMPLETE, Code.SCAN_INCOMPLETE),
    ],
)
def test_only_scanned_passes_however_lax_the_condition(state: RiskState, code: Code) -> None:
    lax = policies.scan(None, allow_unreadable=True, max_age=timedelta(days=365))
    assert codes(lax, risk(state=state, reasons=("The feed of Debian:12 is missing.",))) == [code]


def test_an_image_that_the_scanner_never_spoke_of_was_not_scanned() -> None:
    assert codes(policies.scan(None), None) == [Code.NOT_SCANNED]


@pytest.mark.parametrize(
    ("limit", "found", "changes", "passes"),
    [
        (Severity.MEDIUM, counts(medium=3, low=9), {}, True),
        (Severity.MEDIUM, counts(high=1), {}, False),
        (Severity.MEDIUM, counts(critical=1), {}, False),
        (Severity.CRITICAL, counts(critical=1), {}, True),
        (Severity.CRITICAL, counts(unknown=1), {}, True),
        (Severity.HIGH, counts(unknown=1), {}, False),
        (Severity.HIGH, counts(unknown=1), {"unknown_as": Severity.HIGH}, True),
        (Severity.NEGLIGIBLE, counts(low=1), {}, False),
        (Severity.NEGLIGIBLE, counts(unknown=1), {"unknown_as": Severity.NEGLIGIBLE}, True),
        (None, counts(critical=9, unknown=9), {}, True),
    ],
)
def test_severity(limit: Severity | None, found: Counts, changes: dict[str, Any], passes: bool) -> None:
    assert codes(policies.scan(limit, **changes), risk(counts=found)) == ([] if passes else [Code.SEVERITY_EXCEEDED])


def test_unfixed_findings_may_be_ignored() -> None:
    image = risk(counts=counts(critical=2), fixable=counts(low=1))
    assert codes(policies.scan(), image) == [Code.SEVERITY_EXCEEDED]
    assert codes(policies.scan(ignore_unfixed=True), image) == []
    assert codes(policies.scan(ignore_unfixed=True), risk(counts=counts(high=1), fixable=counts(high=1))) == [
        Code.SEVERITY_EXCEEDED
    ]


def test_the_reason_names_what_exceeds() -> None:
    (reason,) = unmet_scan(policies.scan(), risk(counts=counts(critical=1, high=2, low=7, unknown=3)), NOW)
    assert "1 CRITICAL, 2 HIGH, 3 UNKNOWN" in reason.message
    assert reason.metadata == {"critical": "1", "high": "2", "unknown": "3"}


def test_unreadable_parts_are_refused_unless_allowed() -> None:
    assert codes(policies.scan(), risk(unreadable=1)) == [Code.SCAN_UNREADABLE]
    assert codes(policies.scan(allow_unreadable=True), risk(unreadable=1)) == []


@pytest.mark.parametrize(
    ("ago", "passes"),
    [
        (timedelta(days=7), True),
        (timedelta(days=7, seconds=1), False),
        (-timedelta(minutes=5), True),
        (-timedelta(minutes=6), False),
    ],
)
def test_the_age_of_risk(ago: timedelta, passes: bool) -> None:
    assert codes(policies.scan(), risk(as_of=NOW - ago)) == ([] if passes else [Code.SCAN_TOO_OLD])


def test_risk_without_a_time_is_too_old() -> None:
    assert codes(policies.scan(), risk(as_of=None)) == [Code.SCAN_TOO_OLD]


def test_every_fault_is_told() -> None:
    image = risk(unreadable=2, as_of=NOW - timedelta(days=8), counts=counts(high=1))
    assert codes(policies.scan(), image) == [Code.SCAN_UNREADABLE, Code.SCAN_TOO_OLD, Code.SEVERITY_EXCEEDED]


FEEDS = FeedSet("Debian:12", NOW - timedelta(days=1), too_old=False, reasons=())


def test_the_freshness_of_feeds_belongs_to_the_images_that_need_them() -> None:
    risks = Risks([FEEDS, risk(as_of=None)])
    found = risks.of(marks.REPOSITORY, marks.DIGEST)
    assert found
    assert (found.state, found.as_of) == (RiskState.SCANNED, FEEDS.as_of)


@pytest.mark.parametrize(
    "feeds",
    [
        FeedSet("Debian:12", NOW, too_old=True, reasons=("The feed of Debian:12 is too old.",)),
        FeedSet("Debian:12", None, too_old=False, reasons=()),
        FeedSet("PyPI", NOW, too_old=False, reasons=()),
    ],
)
def test_scanned_by_feeds_too_old_or_not_known_is_incomplete(feeds: FeedSet) -> None:
    found = Risks([feeds, risk()]).of(marks.REPOSITORY, marks.DIGEST)
    assert found
    assert found.state is RiskState.INCOMPLETE


def test_risk_belongs_to_a_repository() -> None:
    risks = Risks([FEEDS, risk()])
    assert risks.of("reg.example.com/other", marks.DIGEST) is None
    assert risks.of(marks.REPOSITORY, "sha256:" + "cd" * 32) is None
