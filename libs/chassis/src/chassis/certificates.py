"""Certificates and their keys: read from PEM files, checked before they are used, and read again when they change."""

import logging
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from chassis.config import ConfigError

log = logging.getLogger(__name__)

Made = TypeVar("Made")
Stamp = tuple[tuple[int, int, int] | None, ...]


def read_authorities(path: Path) -> bytes:
    """Read the certificates of the authorities that are trusted. Raises ConfigError, naming the file."""
    pem = _read(path)
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ConfigError(f"{path} holds no certificate of an authority in PEM.") from None
    return pem


def read_pair(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    """Read a certificate, with those that vouch for it behind it, and its key. Raises ConfigError, naming the file.

    Refused are what is no PEM, a certificate that has expired or does not count yet, a key that belongs to another
    certificate, and one that others can read.
    """
    shown, secret = _read(certificate), _read(key)
    if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"Others can read the private key {key}: run chmod 600 on it.")
    try:
        first = x509.load_pem_x509_certificates(shown)[0]
    except ValueError:
        raise ConfigError(f"{certificate} holds no certificate in PEM.") from None
    try:
        private = serialization.load_pem_private_key(secret, None)
    except (ValueError, TypeError, ArithmeticError):
        raise ConfigError(f"{key} holds no private key in PEM, or one under a password.") from None
    _demand_valid(certificate, first)
    if _public(first.public_key()) != _public(private.public_key()):
        raise ConfigError(f"The key {key} is not that of the certificate {certificate}.")
    return shown, secret


def _demand_valid(path: Path, certificate: x509.Certificate) -> None:
    now, start, end = datetime.now(UTC), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise ConfigError(f"The certificate {path} expired at {end.isoformat()}: replace it.")
    if now < start:
        raise ConfigError(f"The certificate {path} counts from {start.isoformat()} on: is this machine's clock right?")


def _public(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    encoded: bytes = key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined]  # each kind has it
    return encoded


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The certificate file {path} cannot be read ({error.strerror}). Nothing runs without mutual TLS:"
            " issue a certificate for this role, or let `hallmark up` make a local authority."
        ) from None


class Renewed(Generic[Made]):
    """What is made of files, and made anew when they change; while they cannot be used, what was made before stays."""

    def __init__(self, files: Sequence[Path], make: Callable[[], Made]) -> None:
        """Make it. Raises what `make` raises."""
        self._files = tuple(files)
        self._make = make
        self._seen = self._stamp()
        self._made = make()

    def current(self) -> Made:
        """What is made of the files as they are, or were when they could be used last."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._made = self._make()
            except (ConfigError, OSError) as error:
                log.warning("certificates not renewed", extra={"error": str(error)})
            else:
                log.info("certificates renewed", extra={"files": [str(file) for file in self._files]})
        return self._made

    def _stamp(self) -> Stamp:
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
