"""The adapter's certificates: ready is only who can still show them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from chassis.clock import Clock
from cryptography import x509

_NOTICE: Final = timedelta(minutes=5)


class Certificates:
    """Checks that no certificate is expired, or about to."""

    def __init__(self, paths: Sequence[Path], clock: Clock) -> None:
        self._paths = tuple(paths)
        self._clock = clock

    def problem(self) -> str | None:
        """What is wrong with one of them; None where nothing is."""
        return next((problem for path in self._paths if (problem := self._problem(path))), None)

    def _problem(self, path: Path) -> str | None:
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError) as error:
            return f"The certificate {path} cannot be read ({type(error).__name__})."
        if certificate.not_valid_after_utc - _NOTICE <= self._clock.now():
            return f"The certificate {path} ends at {certificate.not_valid_after_utc.isoformat()}; replace it."
        return None
