"""Where the suite lives: every file of it, in one directory.

hallmark.toml     the profile: addresses and identities, which every command reads
suite.toml        what the operator chose: ports, registries, cluster
running.toml      the processes at work
tls/ config/ data/ secrets/ logs/
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hallmark_cli.failures import Refused
from hallmark_cli.local.files import private_directory

SERVICES = ("scanner", "signer", "policy", "verifier", "admission")
"""The suite's services, by name: the name of the program, of its role, and of its files."""

PEOPLE = ("developer", "reviewer", "custodian", "cluster-admin", "oncall", "operator", "auditor")
"""The roles of people; on this machine, one person has an identity in each."""


def default_home(environ: dict[str, str]) -> Path:
    """$HALLMARK_HOME, else ~/.local/share/hallmark."""
    chosen = environ.get("HALLMARK_HOME")
    return Path(chosen) if chosen else Path.home() / ".local" / "share" / "hallmark"


@dataclass(frozen=True, slots=True)
class Home:
    """The directory, by absolute path."""

    path: Path

    @property
    def profile(self) -> Path:
        """Addresses and identities, for the commands."""
        return self.path / "hallmark.toml"

    @property
    def choices(self) -> Path:
        """What the operator chose, kept from one start to the next."""
        return self.path / "suite.toml"

    @property
    def running(self) -> Path:
        """The processes at work; absent when nothing was started."""
        return self.path / "running.toml"

    @property
    def tls(self) -> Path:
        """The authority and its certificates."""
        return self.path / "tls"

    @property
    def vault_key(self) -> Path:
        """The 32 bytes that open the signer's vault."""
        return self.path / "secrets" / "vault.key"

    def config(self, service: str) -> Path:
        """The configuration of a service."""
        return self.path / "config" / f"{service}.toml"

    def data(self, service: str) -> Path:
        """The directory of a service's own data."""
        return self.path / "data" / service

    def log(self, service: str) -> Path:
        """What a service wrote to its standard error."""
        return self.path / "logs" / f"{service}.log"

    def certificate(self, file: str) -> Path:
        """A certificate by its file's name; its key lies beside it."""
        return self.tls / f"{file}.crt"

    def prepare(self) -> None:
        """Make the directories."""
        private_directory(self.path)
        for directory in ("tls", "config", "secrets", "logs"):
            private_directory(self.path / directory)
        for service in SERVICES:
            private_directory(self.data(service))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep a second `up` or `down` out of this directory. Raises a Failure where one is at work."""
        private_directory(self.path)
        lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another `hallmark up` or `down` is at work in {self.path}. Wait for it.") from None
        else:
            yield
        finally:
            os.close(lock)
