"""Ready is only who can still show its certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from admission.certificates import Certificates

from tests.factories.certificates import Authority
from tests.fakes.clock import FakeClock


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The path of a certificate that is good for a day from now."""
    authority = Authority()
    return authority.write(authority.listener(), tmp_path).certificate


@pytest.mark.parametrize(
    ("ahead", "good"), [(timedelta(0), True), (timedelta(hours=23), True), (timedelta(hours=23, minutes=58), False)]
)
def test_a_certificate_about_to_end_is_a_problem(shown: Path, ahead: timedelta, good: bool) -> None:
    clock = FakeClock()
    clock.set(datetime.now(UTC) + ahead)
    problem = Certificates((shown,), clock).problem()
    assert problem is None if good else problem is not None and "replace it" in problem


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("no certificate")])
def test_a_certificate_that_cannot_be_read_is_a_problem(shown: Path, spoil: object) -> None:
    clock = FakeClock()
    clock.set(datetime.now(UTC))
    certificates = Certificates((shown,), clock)
    assert certificates.problem() is None
    spoil(shown)  # type: ignore[operator]  # either way of spoiling it
    problem = certificates.problem()
    assert problem is not None
    assert str(shown) in problem


def test_one_bad_certificate_among_good_ones_is_told(shown: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    clock.set(datetime.now(UTC))
    assert Certificates((shown, tmp_path / "missing.pem"), clock).problem() is not None
