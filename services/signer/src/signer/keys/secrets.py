"""Reads the file that protects the embedded vault: an operator's secret, or a key of 32 bytes."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from signer.errors import KeyFileExposed, KeyFileUnusable

KEY_BYTES: Final = 32
_MIN_SECRET_BYTES: Final = 16
_MAX_SECRET_BYTES: Final = 4096
_SALT_BYTES: Final = 16
_SCRYPT_COST: Final = 2**17  # with r=8 and p=1: 128 MiB, some 0.4 s, once at start


@dataclass(frozen=True, slots=True)
class Protection:
    """How the vault's key comes about: from the key file as it is (no salt), or from a secret by scrypt."""

    salt: bytes = b""
    cost: int = 0

    @property
    def by_secret(self) -> bool:
        """Whether a secret is stretched by scrypt."""
        return bool(self.salt)


@dataclass(frozen=True, slots=True)
class KeySource:
    """What the operator gave: exactly one of the two files."""

    secret_file: Path | None
    key_file: Path | None
    store_directory: Path | None = field(default=None)

    def new_protection(self, cost: int = _SCRYPT_COST) -> Protection:
        """Return the protection for a vault that is made now."""
        return Protection(os.urandom(_SALT_BYTES), cost) if self.secret_file else Protection()

    def key(self, protection: Protection) -> bytes:
        """Return the vault's 32-byte key. Raises KeyFileExposed, KeyFileUnusable."""
        if protection.by_secret:
            return self._from_secret(protection)
        if self.key_file is None:
            raise KeyFileUnusable("The vault was made with a key file: set vault.key_file, not vault.secret_file.")
        content = _read_private(self.key_file, self.store_directory)
        if len(content) != KEY_BYTES:
            raise KeyFileUnusable(
                f"The key file {self.key_file} must hold exactly {KEY_BYTES} bytes, not {len(content)}."
            )
        return content

    def _from_secret(self, protection: Protection) -> bytes:
        if self.secret_file is None:
            raise KeyFileUnusable("The vault was made with a secret: set vault.secret_file, not vault.key_file.")
        secret = _read_private(self.secret_file, self.store_directory).rstrip(b"\r\n")
        if not _MIN_SECRET_BYTES <= len(secret) <= _MAX_SECRET_BYTES:
            raise KeyFileUnusable(
                f"The secret in {self.secret_file} must have {_MIN_SECRET_BYTES} to {_MAX_SECRET_BYTES} bytes."
            )
        return Scrypt(salt=protection.salt, length=KEY_BYTES, n=protection.cost, r=8, p=1).derive(secret)


def _read_private(path: Path, store_directory: Path | None) -> bytes:
    _demand_apart(path, store_directory)
    try:
        # Not to wait for ever where it is a pipe; on a regular file the flag means nothing.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            _demand_unexposed(path, os.fstat(file.fileno()))
            return file.read(_MAX_SECRET_BYTES + 2)
    except OSError as problem:
        raise KeyFileUnusable(
            f"The file {path}, which protects the vault, cannot be read: {problem.strerror}."
        ) from problem


def _demand_apart(path: Path, store_directory: Path | None) -> None:
    if store_directory is not None and path.resolve().is_relative_to(store_directory.resolve()):
        raise KeyFileExposed(
            f"The file {path} lies in the directory of the database, {store_directory}: whoever copies the store would"
            " have its key too. Keep it elsewhere."
        )


def _demand_unexposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileUnusable(f"{path}, which should protect the vault, is no regular file.")
    if status.st_mode & 0o077:
        raise KeyFileExposed(
            f"The file {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}): run chmod 600 on it, and"
            " replace the secret if somebody may have read it."
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise KeyFileExposed(
            f"The file {path} belongs to another user (uid {status.st_uid}): make it the signer's own."
        )
