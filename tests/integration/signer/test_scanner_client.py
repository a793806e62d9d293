"""What the signer makes of a scanner's answers: whatever is not clear counts as no answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest
from chassis.client import open_channel
from chassis.config import Upstream
from hallmark.common.v1 import severity_pb2
from hallmark.scanner.v1 import risk_pb2
from signer.clients.scanner import Scanner
from signer.errors import RiskUnavailable
from signer.risk import RiskState, Severity

from tests.factories.certificates import Authority
from tests.fakes.risk_scanner import FEEDS, RiskScanner, risk_scanner

REPOSITORY = "reg.example.com/pay/api"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def scanner(authority: Authority, tmp_path: Path) -> AsyncIterator[RiskScanner]:
    async with risk_scanner(authority, tmp_path / "scanner") as running:
        yield running


@pytest.fixture
async def channel(authority: Authority, scanner: RiskScanner, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
    tls = authority.write(authority.service("signer"), tmp_path / "signer")
    async with open_channel(Upstream(address=scanner.address, role="scanner"), tls) as opened:
        yield opened


async def test_everything_that_a_gate_asks_of_a_risk_is_read(scanner: RiskScanner, channel: grpc.aio.Channel) -> None:
    scanner.scanned(
        [ONE],
        reasons=["a"],
        unreadable=3,
        worst_severity=severity_pb2.SEVERITY_HIGH,
        counts=severity_pb2.SeverityCounts(high=2, unknown=1),
        fixable_counts=severity_pb2.SeverityCounts(high=1),
        risk_digest="f" * 64,
    )
    first, second = await Scanner(channel, 10).of(REPOSITORY, [ONE, TWO])
    assert (first.digest, first.state, first.reasons, first.unreadable) == (ONE, RiskState.SCANNED, ("a",), 3)
    assert (first.worst, first.scan_id, first.risk_digest) == (Severity.HIGH, "scan-1", "f" * 64)
    assert (first.counts[Severity.HIGH], first.counts[Severity.UNKNOWN], first.counts[Severity.LOW]) == (2, 1, 0)
    assert (first.fixable_counts[Severity.HIGH], first.fixable_counts[Severity.UNKNOWN]) == (1, 0)
    assert first.as_of is not None
    assert first.as_of <= datetime.now(UTC)
    assert (second.digest, second.state, second.worst) == (TWO, RiskState.NOT_SCANNED, None)


async def test_a_risk_whose_feeds_are_not_told_has_no_age(scanner: RiskScanner, channel: grpc.aio.Channel) -> None:
    scanner.scanned([ONE], feed_set_id="others")
    (risk,) = await Scanner(channel, 10).of(REPOSITORY, [ONE])
    assert risk.as_of is None


async def test_feeds_that_are_too_old_give_no_age(scanner: RiskScanner, channel: grpc.aio.Channel) -> None:
    scanner.scanned([ONE])
    scanner.feeds_too_old = True
    (risk,) = await Scanner(channel, 10).of(REPOSITORY, [ONE])
    assert risk.as_of is None


@pytest.mark.parametrize("state", [risk_pb2.IMAGE_RISK_STATE_UNSPECIFIED, 99])
async def test_a_state_that_is_not_known_is_no_answer(
    scanner: RiskScanner, channel: grpc.aio.Channel, state: risk_pb2.ImageRiskState.ValueType
) -> None:
    scanner.risks[ONE] = risk_pb2.ImageRisk(state=state, feed_set_id=FEEDS)
    with pytest.raises(RiskUnavailable, match="state"):
        await Scanner(channel, 10).of(REPOSITORY, [ONE])


@pytest.mark.parametrize("fields", [{"digest": TWO}, {"repository": "reg.example.com/other"}])
async def test_an_answer_about_another_image_is_no_answer(
    scanner: RiskScanner, channel: grpc.aio.Channel, fields: dict[str, str]
) -> None:
    scanner.scanned([ONE], **fields)
    with pytest.raises(RiskUnavailable, match="other images"):
        await Scanner(channel, 10).of(REPOSITORY, [ONE])


async def test_a_scanner_that_is_not_there_is_no_answer(authority: Authority, tmp_path: Path) -> None:
    tls = authority.write(authority.service("signer"), tmp_path / "signer")
    async with open_channel(Upstream(address="127.0.0.1:1", role="scanner"), tls) as nobody:
        with pytest.raises(RiskUnavailable) as refusal:
            await Scanner(nobody, 5).of(REPOSITORY, [ONE])
    assert "Nothing was signed" in refusal.value.message


async def test_who_is_no_scanner_is_not_asked(authority: Authority, scanner: RiskScanner, tmp_path: Path) -> None:
    tls = authority.write(authority.service("signer"), tmp_path / "signer")
    async with open_channel(Upstream(address=scanner.address, role="policy"), tls) as other:
        with pytest.raises(RiskUnavailable):
            await Scanner(other, 5).of(REPOSITORY, [ONE])
